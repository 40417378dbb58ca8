// What a feature says, in both languages: a missing, extra or misspelt key does not compile.

type Placeholder<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholder<Rest> : never;
export type MessageParams<Text extends string> = [Placeholder<Text>] extends [never]
  ? []
  : [params: Record<Placeholder<Text>, string | number>];

/** Keys begin with the feature's name, e.g. `ward.title`. What stands in braces is filled in when it is shown. */
export function defineMessages<const English extends Record<string, string>>(messages: {
  en: English;
  hi: NoInfer<{ readonly [Key in keyof English]: string }>;
}): typeof messages {
  return messages;
}
