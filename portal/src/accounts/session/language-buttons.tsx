// Language selection, also available before sign-in.
import { useTranslation } from "../../platform/messages/translate.ts";
import { setPreferences } from "./preferences.ts";
import classes from "./session.module.css";

export function LanguageButtons({ className = classes.languages }: { className?: string | undefined }) {
  useTranslation();
  return (
    <div className={className}>
      <button type="button" lang="hi" onClick={() => setPreferences({ language: "hi" })}>
        हिन्दी
      </button>
      <button type="button" lang="en" onClick={() => setPreferences({ language: "en" })}>
        English
      </button>
    </div>
  );
}
