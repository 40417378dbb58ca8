// Passkeys (WebAuthn Level 3): options for browsers and the check of what they return. User verification is always required.
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import { sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { getPublicOrigin, type Keys } from "../../platform/config.ts";
import { fromBase64Url, toBase64Url } from "../../platform/crypto.ts";
import {
  CEREMONY_TTL_MS,
  type Ceremony,
  type CeremonyKind,
  consumeCeremony,
  readChallenge,
  signChallenge,
} from "./ceremonies.ts";
import type { FactorProof, StoredPasskey } from "./factors.ts";
import type { PasskeyAssertion, PasskeyRegistration } from "./schemas.ts";

const RP_NAME = "EdgeCare";
/** ES256 and RS256 (IANA COSE algorithms): what platform authenticators and security keys offer. */
const ALGORITHMS = [-7, -257];

const relyingParty = (env: Env) => {
  const origin = getPublicOrigin(env);
  return { origin, id: new URL(origin).hostname };
};

const toDescriptor = ({ credentialId, transports }: Pick<StoredPasskey, "credentialId" | "transports">) => ({
  id: credentialId,
  transports: transports.split(" ").filter(Boolean),
});

/** The user handle, which the authenticator keeps: the id of the account and nothing else. */
const userHandleOf = (userId: string) => new Uint8Array(new TextEncoder().encode(userId));

/** Options of `navigator.credentials.create()`: a discoverable passkey with user verification, without attestation. */
export async function createRegistrationOptions(
  env: Env,
  keys: Keys,
  ceremony: Ceremony,
  person: { userId: string; email: string; fullName: string },
  existing: readonly StoredPasskey[],
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  return generateRegistrationOptions({
    rpName: RP_NAME,
    rpID: relyingParty(env).id,
    userID: userHandleOf(person.userId),
    userName: person.email,
    userDisplayName: person.fullName,
    challenge: await signChallenge(keys, ceremony),
    timeout: CEREMONY_TTL_MS,
    attestationType: "none",
    excludeCredentials: existing.map(toDescriptor),
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
    supportedAlgorithmIDs: ALGORITHMS,
  });
}

/** Options of `navigator.credentials.get()`. @param passkeys those of the person; empty while the person is not known */
export async function createAssertionOptions(
  env: Env,
  keys: Keys,
  ceremony: Ceremony,
  passkeys: readonly StoredPasskey[],
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  return generateAuthenticationOptions({
    rpID: relyingParty(env).id,
    challenge: await signChallenge(keys, ceremony),
    timeout: CEREMONY_TTL_MS,
    allowCredentials: passkeys.map(toDescriptor),
    userVerification: "required",
  });
}

/** The credential of a registration, with its ceremony, or null for any mismatch (WebAuthn, section 7.1). */
export async function checkRegistration(env: Env, { keys, now }: Call, userId: string, response: PasskeyRegistration) {
  const { origin, id } = relyingParty(env);
  const found: { ceremony: Ceremony | null } = { ceremony: null };
  const result = await verifyRegistrationResponse({
    response,
    expectedChallenge: async (challenge) => {
      found.ceremony = await readChallenge(keys, "register", userId, challenge, now);
      return found.ceremony !== null;
    },
    expectedOrigin: origin,
    expectedRPID: id,
    requireUserVerification: true,
    supportedAlgorithmIDs: ALGORITHMS,
  }).catch(() => null);
  const { ceremony } = found;
  if (!result?.verified || !ceremony) return null;
  const { credential, credentialBackedUp } = result.registrationInfo;
  return {
    ceremony,
    credentialId: credential.id,
    publicKey: toBase64Url(credential.publicKey),
    counter: credential.counter,
    isBackedUp: credentialBackedUp,
  };
}

/**
 * The proof of a passkey, or null for any mismatch (WebAuthn, section 7.2): challenge, origin, relying party, signature, user
 * verification, and a counter that did not grow.
 * @param ceremonyId for a second step: that of its ticket
 */
export async function findPasskeyProof(
  env: Env,
  { db, keys, now }: Call,
  expected: { kind: CeremonyKind; userId: string | null; ceremonyId?: string },
  passkey: StoredPasskey,
  response: PasskeyAssertion,
): Promise<FactorProof | null> {
  const { origin, id } = relyingParty(env);
  const publicKey = fromBase64Url(passkey.publicKey);
  if (!publicKey) return null;
  const found: { ceremony: Ceremony | null } = { ceremony: null };
  const result = await verifyAuthenticationResponse({
    response,
    expectedChallenge: async (challenge) => {
      found.ceremony = await readChallenge(keys, expected.kind, expected.userId, challenge, now);
      const id = found.ceremony?.id;
      return id !== undefined && (expected.ceremonyId === undefined || id === expected.ceremonyId);
    },
    expectedOrigin: origin,
    expectedRPID: id,
    credential: { id: passkey.credentialId, publicKey, counter: passkey.counter },
    requireUserVerification: true,
  }).catch(() => null);
  const { ceremony } = found;
  if (!result?.verified || !ceremony) return null;
  const { newCounter, credentialBackedUp } = result.authenticationInfo;
  const isUnchanged = sql`id = ${passkey.id} AND counter = ${passkey.counter}`;
  return {
    method: "passkey",
    when: sql`EXISTS (SELECT 1 FROM passkeys WHERE ${isUnchanged})`,
    use: [
      consumeCeremony(db, ceremony, now),
      db.run(sql`UPDATE passkeys SET counter = CAST(${newCounter} AS INTEGER), is_backed_up = ${Number(credentialBackedUp)},
        last_used_at = CAST(${now} AS INTEGER) WHERE ${isUnchanged}`),
    ],
  };
}

/** Whether the user handle that the authenticator returned, if any, names this account. */
export const isUserHandle = (userId: string, handle: string | undefined): boolean =>
  handle === undefined || handle === toBase64Url(userHandleOf(userId));
