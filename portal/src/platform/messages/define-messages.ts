// The type of a feature's messages in both languages: a missing, extra or misspelt key does not compile.

/** What ends a piece of a message in ICU syntax, split at its braces; only a piece without these is a placeholder's name. */
type NotAName = " " | "#" | ",";
type NameIn<Piece extends string> = Piece extends `${string}${NotAName}${string}` | "" ? never : Piece;
type CountIn<Piece extends string> = Piece extends `${infer Name}, plural,${string}` ? Name : never;

/** The pieces that begin after an opening brace and end at the next brace. */
type Pieces<Text extends string> = Text extends `${string}{${infer Rest}`
  ? (Rest extends `${infer Piece}{${string}` ? UntilClosing<Piece> : UntilClosing<Rest>) | Pieces<Rest>
  : never;
type UntilClosing<Text extends string> = Text extends `${infer Piece}}${string}` ? Piece : Text;

type PlaceholderName<Text extends string> = NameIn<Pieces<Text>>;
type CountName<Text extends string> = CountIn<Pieces<Text>>;
type Params<Text extends string> = { [Name in PlaceholderName<Text>]: string | number } & { [Name in CountName<Text>]: number };
export type MessageParams<Text extends string> = [PlaceholderName<Text> | CountName<Text>] extends [never]
  ? []
  : [params: Params<Text>];

/**
 * Keys begin with the feature's name, e.g. `ward.title`. Texts are ICU messages of two kinds of arguments: `{name}`, and counts, e.g.
 * `{n, plural, one {# patient} other {# patients}}`, whose branches contain a space or `#`.
 */
export function defineMessages<const English extends Record<string, string>>(messages: {
  en: English;
  hi: NoInfer<{ readonly [Key in keyof English]: string }>;
}): typeof messages {
  return messages;
}
