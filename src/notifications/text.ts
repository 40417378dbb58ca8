// Words of every notification, in English and Hindi, for the portal, mail and push. Imports nothing: the portal bundles it too.
// Nothing clinical and no name: what happened and where to look. The kinds are those of kinds.ts (test/node/notification-text.test.ts).

import { TEXTS } from "./kind-texts.ts";
import type { KindText, TextLanguage } from "./texts/kind-text.ts";

const UNKNOWN: Record<TextLanguage, KindText> = {
  en: { title: "Message from EdgeCare", sentence: "Open EdgeCare to see what is new." },
  hi: { title: "EdgeCare का संदेश", sentence: "नया क्या है, यह देखने के लिए EdgeCare खोलें।" },
};

/** Kinds that have words. */
export const TEXT_KINDS: readonly string[] = Object.keys(TEXTS);

const HIGH_PRIORITY: Record<TextLanguage, (title: string) => string> = {
  en: (title) => `High priority: ${title}`,
  hi: (title) => `उच्च प्राथमिकता: ${title}`,
};

/**
 * Words of a kind of notification, letter or webhook event; general ones for a kind of a later version.
 * @param priority `alarm` is named in the title
 */
export function textOf(kind: string, language: TextLanguage, priority: "alarm" | "security" | "normal" = "normal"): KindText {
  const { title, sentence } = (TEXTS[kind] ?? UNKNOWN)[language];
  return { title: priority === "alarm" ? HIGH_PRIORITY[language](title) : title, sentence };
}
