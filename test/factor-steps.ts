// Steps of tests about second factors: enrolling, signing in, and what of it is stored.
import { Authenticator, type Deviation } from "./authenticator.ts";
import { oneTimePassword } from "./one-time-password.ts";
import { API, env, PASSWORD, type Person, type RequestOptions, readJson, sendRequest } from "./world.ts";

type Caller = { token: string };

export const post = (path: string, as: Caller | null, json: unknown, options: RequestOptions = {}) =>
  sendRequest(`${API}${path}`, { ...(as && { as }), method: "POST", ...(json !== undefined && { json }), ...options });

/** Allows the current code again: a test does not wait for the next time step. */
export const forgetTimeStep = (userId: string) =>
  env.DB.prepare("UPDATE totp_factors SET last_step = 0 WHERE user_id = ?").bind(userId).run();

/** Enrols an authenticator app. @returns its secret and the recovery codes */
export async function enrolTotp(person: Person): Promise<{ secret: string; codes: string[] }> {
  const { data } = await readJson(await post("/auth/mfa/totp/enroll", person, undefined));
  const confirmed = await readJson(await post("/auth/mfa/totp/confirm", person, { code: oneTimePassword(data.secret) }));
  await forgetTimeStep(person.id);
  return { secret: data.secret, codes: confirmed.data.recovery_codes };
}

/** Registers a passkey. @returns the response and the authenticator that holds it */
export async function registerPasskey(person: Caller, deviation: Deviation = {}, name = "Phone", faulty?: Env) {
  const { data: options } = await readJson(await post("/auth/passkeys/options", person, undefined));
  const authenticator = await Authenticator.create();
  const passkey = await authenticator.register(options, deviation);
  const response = await post("/auth/passkeys", person, { name, passkey }, { ...(faulty && { env: faulty }) });
  return { authenticator, response };
}

export const passkeyOptions = async () => (await readJson(await post("/auth/passkey/options", null, undefined))).data;

export async function signInWithPasskey(authenticator: Authenticator, deviation: Deviation = {}): Promise<Response> {
  const passkey = await authenticator.assert(await passkeyOptions(), deviation);
  return post("/auth/passkey/login", null, { passkey });
}

export const logIn = (person: Person, more: Record<string, string> = {}, password = PASSWORD) =>
  post("/auth/login", null, { email: person.email, password, ...more });

/** The problem of a login without its second step. */
export const askForTicket = async (person: Person) => readJson(await logIn(person));

export const finish = (json: unknown) => post("/auth/login/second-step", null, json);

/** Moves the sign-in of a session to the past. */
export const ageSession = (sessionId: string, ms: number) =>
  env.DB.prepare("UPDATE sessions SET created_at = created_at - ?1, authenticated_at = authenticated_at - ?1 WHERE id = ?2")
    .bind(ms, sessionId)
    .run();

export const codeOf = async (response: Response): Promise<string> => (await readJson(response)).code;
