// The cookie of a browser in which accounts have logged in. A login from it has a limit, a place in the hash queue and failed
// attempts of its own, so that nobody else's attempts keep the account's owner out.
import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { AppEnv } from "../../http/router.ts";
import { computeMac, constantTimeEqual, fromBase64Url, toBase64Url } from "../../platform/crypto.ts";
import { UUID_PATTERN, uuidv7 } from "../../platform/ids.ts";

const COOKIE_NAME = "__Secure-edgecare_browser";
const MAX_AGE_S = 180 * 86_400;
const COOKIE_OPTIONS = { path: "/api/v1/auth", httpOnly: true, secure: true, sameSite: "Strict", maxAge: MAX_AGE_S } as const;
/** Names per browser; a ward's computer has many users. */
const MAX_NAMES = 16;
const TAG_BYTES = 16;

/** `<browser id>.<tag of a name>.<tag of another name>…`, newest first: the cookie contains no name and no account. */
function readCookie(c: Context<AppEnv>): { browserId: string | null; tags: string[] } {
  const [browserId = "", ...tags] = (getCookie(c, COOKIE_NAME) ?? "").split(".");
  return UUID_PATTERN.test(browserId) ? { browserId, tags: tags.slice(0, MAX_NAMES) } : { browserId: null, tags: [] };
}

async function computeTag(c: Context<AppEnv>, browserId: string, nameIndex: string): Promise<Uint8Array> {
  return (await computeMac(c.get("call").keys.link, ["known browser", browserId, nameIndex])).subarray(0, TAG_BYTES);
}

/** The browser's id if this name has logged in there with its password, else null. @param nameIndex the keyed index of the name */
export async function findKnownBrowser(c: Context<AppEnv>, nameIndex: string): Promise<string | null> {
  const { browserId, tags } = readCookie(c);
  if (browserId === null || tags.length === 0) return null;
  const expected = await computeTag(c, browserId, nameIndex);
  const isKnown = tags.some((text) => {
    const tag = fromBase64Url(text);
    return tag !== null && constantTimeEqual(tag, expected);
  });
  return isKnown ? browserId : null;
}

/** After a login with the right password. */
export async function rememberBrowser(c: Context<AppEnv>, nameIndex: string): Promise<void> {
  const known = readCookie(c);
  const browserId = known.browserId ?? uuidv7();
  const tag = toBase64Url(await computeTag(c, browserId, nameIndex));
  const tags = [tag, ...known.tags.filter((other) => other !== tag)].slice(0, MAX_NAMES);
  setCookie(c, COOKIE_NAME, [browserId, ...tags].join("."), COOKIE_OPTIONS);
}
