// Where the portal begins: whoever the cookie says is signed in, then the page that the address names.
import "@fontsource/noto-sans-devanagari/400.css";
import "@fontsource/noto-sans-devanagari/600.css";
import "@mantine/core/styles.css";
import "./platform/design/tokens.css";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";

const root = document.getElementById("portal");
if (root) createRoot(root).render(<App />);
