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
/** Tags per browser, two per account; a ward's computer has many users. */
const MAX_TAGS = 32;
const TAG_BYTES = 16;

/** `isStaff`: whether the name was that of staff at its last login. */
export type KnownBrowser = { id: string; isStaff: boolean };

/** `<browser id>.<tag>.<tag>…`, newest first, with tags of login names and of accounts: the cookie contains neither. */
function readCookie(c: Context<AppEnv>): { browserId: string | null; tags: string[] } {
  const [browserId = "", ...tags] = (getCookie(c, COOKIE_NAME) ?? "").split(".");
  return UUID_PATTERN.test(browserId) ? { browserId, tags: tags.slice(0, MAX_TAGS) } : { browserId: null, tags: [] };
}

async function computeTag(key: CryptoKey, { id, isStaff }: KnownBrowser, nameIndex: string): Promise<string> {
  const parts = ["known browser", id, nameIndex, ...(isStaff ? ["staff"] : [])];
  return toBase64Url((await computeMac(key, parts)).subarray(0, TAG_BYTES));
}

/** The possible tags of a name, under each key of the ring; those of the first key come first. */
const computeTags = (c: Context<AppEnv>, id: string, nameIndex: string) =>
  Promise.all(
    c.get("call").keys.link.all.flatMap((key, place) =>
      [true, false].map(async (isStaff) => ({
        isStaff,
        isCurrent: place === 0,
        tag: await computeTag(key, { id, isStaff }, nameIndex),
      })),
    ),
  );

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

/** The name under which a browser knows an account whatever its login names are. */
export const accountName = (userId: string): string => `account ${userId}`;

/** After a login with the right password. @param names the keyed index of the name, and `accountName()` */
export async function rememberBrowser(c: Context<AppEnv>, names: readonly string[], isStaff: boolean): Promise<void> {
  const known = readCookie(c);
  const browserId = known.browserId ?? uuidv7();
  const possible = (await Promise.all(names.map((name) => computeTags(c, browserId, name)))).flat();
  const own = possible.filter((one) => one.isCurrent && one.isStaff === isStaff).map(({ tag }) => tag);
  const others = known.tags.filter((other) => !possible.some(({ tag }) => tag === other));
  const tags = [...own, ...others].slice(0, MAX_TAGS);
  setCookie(c, COOKIE_NAME, [browserId, ...tags].join("."), COOKIE_OPTIONS);
}
