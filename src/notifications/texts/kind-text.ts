// The form of the words of a notification.

export type TextLanguage = "en" | "hi";
/** `title` in at most 60 characters; `sentence` in at most 160. */
export type KindText = { title: string; sentence: string };
export type KindTexts = Record<string, Record<TextLanguage, KindText>>;
