// How this browser shows things: kept here, and nothing about anybody.
export type Language = "en" | "hi";
export type Theme = "auto" | "light" | "dark";
type Preferences = { language: Language; theme: Theme };

const PLACE = "edgecare.preferences";
const listeners = new Set<() => void>();
let kept: Preferences = read();

function read(): Preferences {
  try {
    const { language, theme } = JSON.parse(localStorage.getItem(PLACE) ?? "{}");
    return { language: language === "hi" ? "hi" : "en", theme: theme === "light" || theme === "dark" ? theme : "auto" };
  } catch {
    return { language: "en", theme: "auto" };
  }
}

export const language = (): Language => kept.language;
export const theme = (): Theme => kept.theme;
export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function prefer(change: Partial<Preferences>): void {
  kept = { ...kept, ...change };
  localStorage.setItem(PLACE, JSON.stringify(kept));
  document.documentElement.lang = kept.language;
  for (const listener of listeners) listener();
}
