// Language and theme of this browser, in localStorage; no personal data.
export type Language = "en" | "hi";
export type Theme = "auto" | "light" | "dark";
type Preferences = { language: Language; theme: Theme };

const STORAGE_KEY = "edgecare.preferences";
const listeners = new Set<() => void>();
let preferences: Preferences = readPreferences();

function readPreferences(): Preferences {
  try {
    const { language, theme } = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "{}");
    return { language: language === "hi" ? "hi" : "en", theme: theme === "light" || theme === "dark" ? theme : "auto" };
  } catch {
    return { language: "en", theme: "auto" };
  }
}

export const getLanguage = (): Language => preferences.language;
/** Latin digits in both languages. */
const LOCALES: Readonly<Record<Language, string>> = { en: "en-IN", hi: "hi-IN-u-nu-latn" };
/** In which times and numbers are shown, and numbers are read. */
export const getLocale = (): string => LOCALES[preferences.language];
export const getTheme = (): Theme => preferences.theme;
export function subscribePreferences(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function setPreferences(change: Partial<Preferences>): void {
  preferences = { ...preferences, ...change };
  localStorage.setItem(STORAGE_KEY, JSON.stringify(preferences));
  document.documentElement.lang = preferences.language;
  for (const listener of listeners) listener();
}
