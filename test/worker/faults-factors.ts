// Faults in requests about second factors: a retry after a lost answer never leaves half of an enrolment or of a sign-in.
import { Authenticator } from "../authenticator.ts";
import { askForTicket, enrolTotp, passkeyOptions, post, registerPasskey } from "../factor-steps.ts";
import { oneTimePassword } from "../one-time-password.ts";
import { API, env, newPerson, PASSWORD, type Person, readJson, sendRequest } from "../world.ts";
import { type FaultCase, queryCount, world } from "./faults-world.ts";

const newNurse = () => newPerson("nurse", world.hospitalId);
const count =
  (sql: string, ...values: string[]) =>
  () =>
    // biome-ignore lint/plugin: constants of this file.
    queryCount(env.DB.prepare(`SELECT count(*) AS n FROM ${sql}`).bind(...values));

const newSend =
  (path: string, person: Person, json: unknown = undefined, method = "POST") =>
  (faulty: Env) =>
    sendRequest(API + path, { as: person, method, ...(json !== undefined && { json }), env: faulty });

async function newPasskey() {
  const person = await newNurse();
  const { authenticator, response } = await registerPasskey(person);
  const { data } = await readJson(response);
  return { person, authenticator, id: String(data.passkey_id) };
}

export const factors: FaultCase[] = [
  {
    name: "POST /auth/login/second-step",
    status: 200,
    retry: "none",
    used: 401,
    async attempt() {
      const person = await newNurse();
      const { secret } = await enrolTotp(person);
      const { ticket } = await askForTicket(person);
      const json = { ticket, code: oneTimePassword(secret) };
      return {
        send: (faulty) => post("/auth/login/second-step", null, json, { env: faulty }),
        effects: count("ceremonies WHERE user_id = ?", person.id),
      };
    },
  },
  {
    name: "POST /auth/passkey/login",
    status: 200,
    retry: "none",
    used: 401,
    async attempt() {
      const { person, authenticator } = await newPasskey();
      const passkey = await authenticator.assert(await passkeyOptions());
      return {
        send: (faulty) => post("/auth/passkey/login", null, { passkey }, { env: faulty }),
        effects: count("sessions WHERE user_id = ? AND amr = 'hwk user mfa'", person.id),
      };
    },
  },
  {
    name: "POST /auth/mfa/totp/enroll",
    status: 200,
    retry: "any",
    async attempt() {
      return { send: newSend("/auth/mfa/totp/enroll", await newNurse()) };
    },
  },
  {
    name: "POST /auth/mfa/totp/confirm",
    status: 200,
    retry: "none",
    used: 409,
    async attempt() {
      const person = await newNurse();
      const { data } = await readJson(await post("/auth/mfa/totp/enroll", person, undefined));
      return {
        send: newSend("/auth/mfa/totp/confirm", person, { code: oneTimePassword(data.secret) }),
        effects: count("totp_factors WHERE user_id = ? AND confirmed_at IS NOT NULL", person.id),
      };
    },
  },
  {
    name: "DELETE /auth/mfa/totp",
    status: 200,
    retry: "none",
    used: 404,
    async attempt() {
      const person = await newNurse();
      await enrolTotp(person);
      return {
        send: newSend("/auth/mfa/totp", person, undefined, "DELETE"),
        effects: count("users u WHERE u.id = ? AND NOT EXISTS (SELECT 1 FROM totp_factors WHERE user_id = u.id)", person.id),
      };
    },
  },
  {
    name: "POST /auth/mfa/recovery-codes",
    status: 201,
    retry: "any",
    async attempt() {
      const { person } = await newPasskey();
      return { send: newSend("/auth/mfa/recovery-codes", person) };
    },
  },
  {
    name: "POST /auth/passkeys/options",
    status: 200,
    retry: "any",
    attempt: async () => ({ send: newSend("/auth/passkeys/options", await newNurse()) }),
  },
  {
    name: "POST /auth/passkeys",
    status: 201,
    retry: "none",
    used: 401,
    async attempt() {
      const person = await newNurse();
      const { data: options } = await readJson(await post("/auth/passkeys/options", person, undefined));
      const own = await Authenticator.create();
      return {
        send: newSend("/auth/passkeys", person, { name: "Key", passkey: await own.register(options) }),
        effects: count("passkeys WHERE user_id = ?", person.id),
      };
    },
  },
  {
    name: "PATCH /auth/passkeys/{id}",
    status: 200,
    retry: "any",
    async attempt() {
      const { person, id } = await newPasskey();
      return { send: newSend(`/auth/passkeys/${id}`, person, { name: "Key" }, "PATCH") };
    },
  },
  {
    name: "DELETE /auth/passkeys/{id}",
    status: 200,
    retry: "none",
    used: 404,
    async attempt() {
      const { person, id } = await newPasskey();
      return {
        send: newSend(`/auth/passkeys/${id}`, person, undefined, "DELETE"),
        effects: count("users u WHERE u.id = ? AND NOT EXISTS (SELECT 1 FROM passkeys WHERE user_id = u.id)", person.id),
      };
    },
  },
  {
    name: "POST /auth/step-up/options",
    status: 200,
    retry: "any",
    attempt: async () => ({ send: newSend("/auth/step-up/options", await newNurse()) }),
  },
  {
    name: "POST /auth/step-up",
    status: 200,
    retry: "any",
    async attempt() {
      return { send: newSend("/auth/step-up", await newNurse(), { password: PASSWORD }) };
    },
  },
  {
    name: "PUT /hospitals/{id}/factor-policy",
    status: 200,
    retry: "any",
    async attempt() {
      const manager = await newPerson("hospital_admin", world.hospitalId);
      const at = new Date(Date.now() + 86_400_000 + Math.floor(Math.random() * 1e9)).toISOString();
      const json = { required_from: { nurse: null, hospital_admin: null, doctor: at } };
      return { send: newSend(`/hospitals/${world.hospitalId}/factor-policy`, manager, json, "PUT") };
    },
  },
  {
    name: "POST /users/{id}/factors/reset",
    status: 200,
    retry: "any",
    async attempt() {
      const manager = await newPerson("hospital_admin", world.hospitalId);
      await registerPasskey(manager);
      const person = await newNurse();
      await enrolTotp(person);
      return { send: newSend(`/users/${person.id}/factors/reset`, manager) };
    },
  },
];
