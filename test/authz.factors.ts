// Second factors of the principals of the authorization matrix.

import { newCeremony, signChallenge } from "../src/accounts/factors/ceremonies.ts";
import { sealPasskeyName } from "../src/accounts/factors/passkey-names.ts";
import { createTotpSecret, sealTotpSecret } from "../src/accounts/factors/totp.ts";
import { toBase64Url } from "../src/platform/base64.ts";
import { getKeys } from "../src/platform/config.ts";
import { uuidv7 } from "../src/platform/ids.ts";
import { Authenticator } from "./authenticator.ts";
import { oneTimePassword } from "./one-time-password.ts";
import { env, type Person } from "./world.ts";

/** A sign-in with two steps, now. */
export const renewSignIn = (sessionId: string) =>
  env.DB.prepare("UPDATE sessions SET authenticated_at = ?, amr = 'pwd otp mfa' WHERE id = ?").bind(Date.now(), sessionId).run();

export async function clearFactors(person: Person | null): Promise<void> {
  if (!person) return;
  const statements = [
    env.DB.prepare("DELETE FROM totp_factors WHERE user_id = ?"),
    env.DB.prepare("DELETE FROM passkeys WHERE user_id = ?"),
    env.DB.prepare("DELETE FROM recovery_codes WHERE user_id = ?"),
  ];
  await env.DB.batch(statements.map((statement) => statement.bind(person.id)));
}

/** An authenticator app that waits for its first code. @returns the code */
export async function beginTotp(person: Person | null): Promise<string> {
  const secret = createTotpSecret();
  if (person) {
    const sealed = await sealTotpSecret(await getKeys(env), person.id, secret);
    await env.DB.prepare("INSERT INTO totp_factors (user_id, secret_sealed, created_at) VALUES (?, ?, ?)")
      .bind(person.id, sealed, Date.now())
      .run();
  }
  return oneTimePassword(secret);
}

/** A passkey of whoever has the session; an id of none if there is no such session. */
export async function newPasskeyRow(sessionId: string): Promise<string> {
  // Known to the matrix, which compares answers without their ids.
  const id = sessionId || uuidv7();
  const name = await sealPasskeyName(await getKeys(env), id, "Key");
  await env.DB.prepare(`INSERT OR IGNORE INTO passkeys (id, user_id, credential_id, public_key, counter, transports, is_backed_up, name_sealed,
      created_at) SELECT ?1, user_id, ?1, 'AA', 0, '', 0, ?2, 1 FROM sessions WHERE id = ?3`)
    .bind(id, name, sessionId)
    .run();
  return id;
}

/** The registration of a new passkey with a challenge of the person. */
export async function newRegistration(person: Person | null) {
  await clearFactors(person);
  const authenticator = await Authenticator.create();
  const userId = person?.id ?? uuidv7();
  const challenge = await signChallenge(await getKeys(env), newCeremony("register", userId, Date.now()));
  const encode = (text: string) => toBase64Url(new TextEncoder().encode(text));
  return authenticator.register({
    challenge: encode(challenge),
    rp: { id: new URL(env.PUBLIC_ORIGIN).hostname },
    user: { id: encode(userId) },
  });
}
