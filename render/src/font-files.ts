// Which font file has which script. The files are static assets; a document loads those of its scripts only.

/** Weights of a font. */
export type Weight = 400 | 600;

export type FontFamily = {
  /** Part of the file name, and of the package that it comes from. */
  name: string;
  /** Characters for which the family is tried. */
  covers: RegExp;
};

/** Digits, punctuation and symbols, which most families have: the one of the surrounding text is used. */
export const COMMON = /^[\p{Script=Common}\p{Script=Inherited}]+$/u;

const LATIN: FontFamily = { name: "latin", covers: /[\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/u };

/** In the order in which they are tried. */
export const FAMILIES: readonly FontFamily[] = [
  LATIN,
  { name: "latin-ext", covers: /[[\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]--[\p{ASCII}\u0080-\u00ff]]/v },
  { name: "vietnamese", covers: /[[\p{Script=Latin}\p{Script=Inherited}\u20ab]--[\p{ASCII}\u0080-\u00ff]]/v },
  { name: "devanagari", covers: /[\p{Script=Devanagari}\u0964\u0965\u20b9]/u },
  { name: "tamil", covers: /\p{Script=Tamil}/u },
  { name: "kannada", covers: /\p{Script=Kannada}/u },
  { name: "malayalam", covers: /\p{Script=Malayalam}/u },
  { name: "bengali", covers: /\p{Script=Bengali}/u },
  { name: "gujarati", covers: /\p{Script=Gujarati}/u },
  { name: "gurmukhi", covers: /\p{Script=Gurmukhi}/u },
  { name: "telugu", covers: /\p{Script=Telugu}/u },
  { name: "greek", covers: /\p{Script=Greek}/u },
  { name: "greek-ext", covers: /[\p{Script=Greek}&&[\u1f00-\u1fff]]/v },
  { name: "cyrillic", covers: /\p{Script=Cyrillic}/u },
  { name: "cyrillic-ext", covers: /[\p{Script=Cyrillic}--[\u0400-\u045f]]/v },
  { name: "arabic", covers: /[\p{Script=Arabic}\u060c\u061b\u061f\u0640]/u },
  { name: "hebrew", covers: /\p{Script=Hebrew}/u },
];

/** Scripts that are subsets of the package noto-sans; each other one has its own package. */
const IN_NOTO_SANS = /^(latin|vietnamese|greek|cyrillic)/;

/** Where a build finds the font, as a path in node_modules. */
export function packagedFont(name: string, weight: Weight): string {
  const family = IN_NOTO_SANS.test(name) ? "noto-sans" : `noto-sans-${name}`;
  return `@fontsource/${family}/files/${family}-${name}-${weight}-normal.woff`;
}

/** Path of the font among the static assets. */
export function fontAsset(name: string, weight: Weight): string {
  return `/fonts/${name}-${weight}.ttf`;
}

/** Families that a text may need, Latin always among them: it has the box of a missing character. */
export function familiesOf(text: string): FontFamily[] {
  return FAMILIES.filter((family) => family === LATIN || family.covers.test(text));
}
