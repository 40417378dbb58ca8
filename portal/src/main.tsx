// Entry point: restores the session, then renders the page of the URL.
import "@fontsource/noto-sans-devanagari/400.css";
import "@fontsource/noto-sans-devanagari/600.css";
import "@mantine/core/styles.css";
import "./platform/design/tokens.css";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { watchPush } from "./notifications/preferences/push.ts";
import { router } from "./router.tsx";

const root = document.getElementById("portal");
watchPush((path) => router.history.push(path));
if (root) createRoot(root).render(<App />);
