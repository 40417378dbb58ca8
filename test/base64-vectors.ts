// Vectors of base64url without padding: RFC 4648 section 10, and non-canonical encodings.
const ascii = (text: string) => [...text].map((ch) => ch.charCodeAt(0));

export const BASE64URL: [number[], string][] = [
  [[], ""],
  [ascii("f"), "Zg"],
  [ascii("fo"), "Zm8"],
  [ascii("foo"), "Zm9v"],
  [ascii("foob"), "Zm9vYg"],
  [ascii("fooba"), "Zm9vYmE"],
  [ascii("foobar"), "Zm9vYmFy"],
  [[0xfb, 0xff, 0xbf], "-_-_"],
  [[0xff, 0xff], "__8"],
  [[0], "AA"],
];

/** Spare bits, padding, whitespace, the other alphabet, impossible lengths. */
export const NOT_CANONICAL = [
  "Zh",
  "Zm9",
  "__9",
  "AB",
  "Zg==",
  "Zm8=",
  "Z",
  "Zm9vY",
  "Zm9v\n",
  " Zm9v",
  "Zm 9v",
  "+/+/",
  "Zm9v*",
  "Zm9v=",
  "=",
  "Ｚg",
];
