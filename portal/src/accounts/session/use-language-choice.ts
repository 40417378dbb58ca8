// The choice of this browser's language, whose messages are loaded first.
import { useState } from "react";
import { changeLanguage } from "../../platform/messages/catalogues.ts";
import type { Language } from "./preferences.ts";

/** @returns `error` of the last choice, if its messages could not be loaded: the language has not changed then */
export function useLanguageChoice(): { choose: (language: Language) => void; error: unknown } {
  const [error, setError] = useState<unknown>(null);
  const choose = (language: Language) => {
    setError(null);
    changeLanguage(language).catch(setError);
  };
  return { choose, error };
}
