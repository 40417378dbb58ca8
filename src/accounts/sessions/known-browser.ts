// The cookie of a browser in which accounts have logged in. A login from it has a limit, a share of the hash queue and failed
// attempts of its own, so that nobody else's attempts keep the account's owner out.
import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { AppEnv } from "../../http/router.ts";
import { computeMac, constantTimeEqual, toBase64Url } from "../../platform/crypto.ts";
import { UUID_PATTERN, uuidv7 } from "../../platform/ids.ts";

const COOKIE_NAME = "__Secure-edgecare_browser";
const MAX_AGE_S = 180 * 86_400;
const COOKIE_OPTIONS = { path: "/api/v1/auth", httpOnly: true, secure: true, sameSite: "Strict", maxAge: MAX_AGE_S } as const;
/** Names per browser; a ward's computer has many users. */
const MAX_NAMES = 16;
const TAG_BYTES = 16;

/** `isStaff`: whether the name was that of staff at its last login. */
export type KnownBrowser = { id: string; isStaff: boolean };

/** `<browser id>.<tag of a name>.<tag of another name>…`, newest first: the cookie contains no name and no account. */
function readCookie(c: Context<AppEnv>): { browserId: string | null; tags: string[] } {
  const [browserId = "", ...tags] = (getCookie(c, COOKIE_NAME) ?? "").split(".");
  return UUID_PATTERN.test(browserId) ? { browserId, tags: tags.slice(0, MAX_NAMES) } : { browserId: null, tags: [] };
}

async function computeTag(c: Context<AppEnv>, { id, isStaff }: KnownBrowser, nameIndex: string): Promise<string> {
  const parts = ["known browser", id, nameIndex, ...(isStaff ? ["staff"] : [])];
  return toBase64Url((await computeMac(c.get("call").keys.link, parts)).subarray(0, TAG_BYTES));
}

const computeTags = (c: Context<AppEnv>, id: string, nameIndex: string) =>
  Promise.all([true, false].map(async (isStaff) => ({ isStaff, tag: await computeTag(c, { id, isStaff }, nameIndex) })));

/** The browser if this name has logged in there with its password, else null. @param nameIndex the keyed index of the name */
export async function findKnownBrowser(c: Context<AppEnv>, nameIndex: string): Promise<KnownBrowser | null> {
  const { browserId, tags } = readCookie(c);
  if (browserId === null || tags.length === 0) return null;
  const encoder = new TextEncoder();
  for (const { isStaff, tag } of await computeTags(c, browserId, nameIndex)) {
    const expected = encoder.encode(tag);
    if (tags.some((text) => constantTimeEqual(encoder.encode(text), expected))) return { id: browserId, isStaff };
  }
  return null;
}

/** After a login with the right password. */
export async function rememberBrowser(c: Context<AppEnv>, nameIndex: string, isStaff: boolean): Promise<void> {
  const known = readCookie(c);
  const browserId = known.browserId ?? uuidv7();
  const possible = await computeTags(c, browserId, nameIndex);
  const tag = await computeTag(c, { id: browserId, isStaff }, nameIndex);
  const others = known.tags.filter((other) => !possible.some((own) => own.tag === other));
  const tags = [tag, ...others].slice(0, MAX_NAMES);
  setCookie(c, COOKIE_NAME, [browserId, ...tags].join("."), COOKIE_OPTIONS);
}
