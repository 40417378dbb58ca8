// Voluntary Application Server Identification (RFC 8292): the key that push services know this deployment by.
import { SignJWT } from "jose";
import type { Keys } from "../../platform/config.ts";
import { getPublicOrigin } from "../../platform/config.ts";
import { fromBase64Url, toBase64Url } from "../../platform/crypto.ts";

/** Seconds that a token is valid; push services accept at most 24 hours (RFC 8292, section 2). */
const TOKEN_LIFETIME_S = 12 * 3600;

/** The public key as browsers take it: the uncompressed point in base64url. Null: no such key. @param kid default: the current key */
export function publicVapidKey({ vapid }: Keys, kid = vapid?.currentKid): string | null {
  const jwk = vapid?.jwks.keys.find((key) => key.kid === kid);
  const x = fromBase64Url(jwk?.x ?? "");
  const y = fromBase64Url(jwk?.y ?? "");
  if (x?.length !== 32 || y?.length !== 32) return null;
  return toBase64Url(new Uint8Array([4, ...x, ...y]));
}

/**
 * The Authorization header for a push service; null without keys.
 * @param endpoint of the subscription, whose origin is the audience
 * @param now epoch milliseconds
 */
export async function vapidAuthorization(env: Env, keys: Keys, endpoint: string, now: number): Promise<string | null> {
  const publicKey = publicVapidKey(keys);
  if (!keys.vapid || publicKey === null) return null;
  const seconds = Math.floor(now / 1000);
  const token = await new SignJWT({ aud: new URL(endpoint).origin, sub: getPublicOrigin(env), exp: seconds + TOKEN_LIFETIME_S })
    .setProtectedHeader({ typ: "JWT", alg: "ES256" })
    .sign(keys.vapid.privateKey);
  return `vapid t=${token}, k=${publicKey}`;
}
