// Entry point: loads the messages, restores the session, then renders the page of the URL.
import "@fontsource/noto-sans-devanagari/400.css";
import "@fontsource/noto-sans-devanagari/600.css";
import "@mantine/core/styles.css";
import "./platform/design/tokens.css";
import { createRoot } from "react-dom/client";
import { getLanguage } from "./accounts/session/preferences.ts";
import { App } from "./app.tsx";
import { watchPush } from "./notifications/preferences/push.ts";
import { loadCatalogue } from "./platform/messages/catalogues.ts";
import { router } from "./router.tsx";

/** A wall display recovers by itself when the service is back. */
const RELOAD_MS = 5_000;

const root = document.getElementById("portal");
watchPush((path) => router.history.push(path));
loadCatalogue(getLanguage()).then(
  () => root && createRoot(root).render(<App />),
  () => {
    // In both languages, as neither has been loaded.
    if (root) root.textContent = "EdgeCare does not answer. Trying again … · EdgeCare से उत्तर नहीं मिल रहा है। फिर कोशिश हो रही है …";
    setTimeout(() => location.reload(), RELOAD_MS);
  },
);
