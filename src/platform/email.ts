// E-mail addresses, and their normal form as login names.
import { z } from "@hono/zod-openapi";
import isEmail from "validator/lib/isEmail.js";

/** NFKC folds full-width letters and look-alikes such as the Kelvin sign, so that an address maps to one account. */
export function normalizeName(name: string): string {
  return name.normalize("NFKC").trim().toLowerCase();
}

/** The form under which an address is found: case folded, an internationalized domain in its ASCII form. */
export function normalizeEmail(email: string): string {
  const name = normalizeName(email);
  const at = name.lastIndexOf("@") + 1;
  return name.slice(0, at) + toAsciiDomain(name.slice(at));
}

function toAsciiDomain(domain: string): string {
  // Only what is not ASCII: a URL would change an ASCII domain that looks like an IPv4 address.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII.
  if (/^[\u0000-\u007f]*$/.test(domain)) return domain;
  return URL.parse(`http://${domain}`)?.hostname ?? domain;
}

/** The address for an envelope: as typed, an internationalized domain in its ASCII form. */
export function toMailAddress(email: string): string {
  const at = email.lastIndexOf("@") + 1;
  return email.slice(0, at) + toAsciiDomain(email.slice(at));
}

/** Invisible characters and spaces, except U+0020, which a quoted local part may contain. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

const byteLength = (text: string) => new TextEncoder().encode(text).length;

/** RFC 5321 and 6531: quoted local parts, letters of every script in both parts, address literals; a domain of two labels. */
function isAddress(email: string): boolean {
  const normalForm = normalizeEmail(email);
  const at = normalForm.lastIndexOf("@");
  const literal = /^@\[(?:ipv6:(.*:.*)|([0-9.]+))\]$/.exec(normalForm.slice(at));
  const domain = literal ? `@[${literal[1] ?? literal[2]}]` : normalForm.slice(at);
  // The validator knows neither the prefix of IPv6 literals nor code points beyond U+FFFF, for which a letter stands.
  const checked = normalForm.slice(0, at).replace(/[\u{10000}-\u{10ffff}]/gu, "字") + domain;
  return (
    !HIDDEN.test(email) &&
    byteLength(normalForm.slice(0, at)) <= 64 &&
    byteLength(normalForm) <= 254 &&
    isEmail(checked, { allow_ip_domain: literal !== null })
  );
}

/** Kept as typed, without outer spaces; compared in its normal form. */
export const Email = z
  .string()
  .max(320)
  .overwrite((email) => email.trim())
  .refine(isAddress, "Not a valid e-mail address")
  .openapi({ type: "string", maxLength: 320, pattern: ".@.", example: "asha@example.org" });
