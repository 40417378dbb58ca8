// base64url without padding (RFC 4648, section 5), native where the runtime supports it.
type Bytes = Uint8Array<ArrayBuffer>;
export type Codec = { encode(bytes: Uint8Array): string; decode(text: string): Bytes | null };

const ALPHABET = /^[A-Za-z0-9_-]*$/;

/** Node 24, which runs the CLI and the benchmarks, lacks `Uint8Array.fromBase64`; workerd and browsers have it. */
export const portable: Codec = {
  encode(bytes) {
    let binary = "";
    for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  },
  decode(text) {
    if (!ALPHABET.test(text) || text.length % 4 === 1) return null;
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (ch) => ch.charCodeAt(0));
    return portable.encode(bytes) === text ? bytes : null;
  },
};

const ENCODING = { alphabet: "base64url", omitPadding: true } as const;
/** Rejects non-zero trailing bits, but requires padding. */
const DECODING = { alphabet: "base64url", lastChunkHandling: "strict" } as const;
const PADDING = ["", "", "==", "="] as const;

export const native: Codec | null =
  typeof Uint8Array.fromBase64 !== "function"
    ? null
    : {
        encode: (bytes) => bytes.toBase64(ENCODING),
        decode(text) {
          const padding = PADDING[text.length % 4];
          // The native decoder skips whitespace and accepts padding, so the alphabet is checked first.
          if (!ALPHABET.test(text) || text.length % 4 === 1) return null;
          try {
            return Uint8Array.fromBase64(text + padding, DECODING);
          } catch {
            return null;
          }
        },
      };

const codec = native ?? portable;

export const toBase64Url = (bytes: Uint8Array): string => codec.encode(bytes);

/**
 * Null for anything but canonical base64url without padding. "QQ" and "QR" decode to the same byte; only "QQ" is canonical, so
 * that a token has exactly one spelling.
 */
export const fromBase64Url = (text: string): Bytes | null => codec.decode(text);
