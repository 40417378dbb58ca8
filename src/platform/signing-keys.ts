// The key ring that signs and verifies access tokens, as parsed from the secret JWT_KEYS. Imports nothing of the database.
import { exportJWK, importJWK, type JWK } from "jose";
import { z } from "zod";

export type SigningKeys = {
  currentKid: string;
  privateKey: CryptoKey;
  publicKeys: Map<string, CryptoKey>;
  jwks: { keys: JWK[] };
};

const member = z.string().optional();
const SigningKeyRingSchema = z.array(
  z.looseObject({ kid: member, kty: z.string(), crv: member, x: member, y: member, d: member }),
);

/** `JWT_KEYS` is a JSON array of private P-256 JWKs with `kid`; the first signs, all verify (RFC 7517). */
export async function parseSigningKeys(secret: string): Promise<SigningKeys> {
  const ring = SigningKeyRingSchema.parse(JSON.parse(secret));
  const publicKeysByKid = new Map<string, CryptoKey>();
  const jwks: JWK[] = [];
  let first: { kid: string; key: CryptoKey } | undefined;
  for (const jwk of ring) {
    const { kid, kty, crv, x, y, d } = jwk;
    if (!kid || kty !== "EC" || crv !== "P-256" || !x || !y || !d || publicKeysByKid.has(kid))
      throw new Error("not a P-256 key ring");
    const publicJwk = { kty, crv, x, y };
    const [privateKey, publicKey] = await Promise.all([
      importJWK(jwk, "ES256"),
      importJWK(publicJwk, "ES256", { extractable: true }),
    ]);
    if (!(privateKey instanceof CryptoKey) || !(publicKey instanceof CryptoKey)) throw new Error("not a P-256 key ring");
    first ??= { kid, key: privateKey };
    publicKeysByKid.set(kid, publicKey);
    jwks.push({ ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" });
  }
  if (!first) throw new Error("empty key ring");
  return { currentKid: first.kid, privateKey: first.key, publicKeys: publicKeysByKid, jwks: { keys: jwks } };
}
