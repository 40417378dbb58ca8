// Declares a feature's texts in both languages; a missing, extra or misspelt key does not compile.

type Placeholder<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholder<Rest> : never;
export type MessageParams<Text extends string> = [Placeholder<Text>] extends [never]
  ? []
  : [params: Record<Placeholder<Text>, string | number>];

/** Keys start with the feature's name, e.g. `ward.title`. Names in braces are placeholders. */
export function defineMessages<const English extends Record<string, string>>(messages: {
  en: English;
  hi: NoInfer<{ readonly [Key in keyof English]: string }>;
}): typeof messages {
  return messages;
}
