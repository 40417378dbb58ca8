// Budgets of second factors, passkeys, step-up and the policy.
import { askForTicket, enrolTotp, passkeyOptions, post, registerPasskey } from "../factor-steps.ts";
import { oneTimePassword } from "../one-time-password.ts";
import { API, newPerson, PASSWORD, readJson, sendRequest } from "../world.ts";
import { type BudgetCase, budget, world } from "./budgets-world.ts";

const newNurse = () => newPerson("nurse", world.hospitalId);
const newManager = () => newPerson("hospital_admin", world.hospitalId);
const policyPath = () => `${API}/hospitals/${world.hospitalId}/factor-policy`;

export const factorReads: BudgetCase[] = [
  ["GET /auth/mfa", "read", 200, budget(1, 20, 0), async (e) => sendRequest(`${API}/auth/mfa`, { as: await newNurse(), env: e })],
  [
    "GET /auth/passkeys",
    "read",
    200,
    budget(1, 10, 0),
    async (e) => sendRequest(`${API}/auth/passkeys`, { as: await newNurse(), env: e }),
  ],
  ["POST /auth/passkey/options", "read", 200, budget(0, 0, 0), (e) => post("/auth/passkey/options", null, undefined, { env: e })],
  [
    "POST /auth/passkeys/options",
    "read",
    200,
    budget(1, 20, 0),
    async (e) => post("/auth/passkeys/options", await newNurse(), undefined, { env: e }),
  ],
  [
    "POST /auth/step-up/options",
    "read",
    200,
    budget(2, 20, 0),
    async (e) => post("/auth/step-up/options", await newNurse(), undefined, { env: e }),
  ],
  [
    "GET /hospitals/{id}/factor-policy",
    "read",
    200,
    budget(1, 15, 0),
    async (e) => sendRequest(policyPath(), { as: await newManager(), env: e }),
  ],
];

export const factorWrites: BudgetCase[] = [
  [
    "POST /auth/login/second-step",
    "write",
    200,
    budget(2, 60, 25),
    async (e) => {
      const person = await newNurse();
      const { secret } = await enrolTotp(person);
      const { ticket } = await askForTicket(person);
      return post("/auth/login/second-step", null, { ticket, code: oneTimePassword(secret) }, { env: e });
    },
  ],
  [
    "POST /auth/passkey/login",
    "write",
    200,
    budget(2, 50, 20),
    async (e) => {
      const { authenticator } = await registerPasskey(await newNurse());
      const passkey = await authenticator.assert(await passkeyOptions());
      return post("/auth/passkey/login", null, { passkey }, { env: e });
    },
  ],
  [
    "POST /auth/mfa/totp/enroll",
    "write",
    200,
    budget(2, 25, 12),
    async (e) => post("/auth/mfa/totp/enroll", await newNurse(), undefined, { env: e }),
  ],
  [
    "POST /auth/mfa/totp/confirm",
    "write",
    200,
    budget(2, 60, 60),
    async (e) => {
      const person = await newNurse();
      const { data } = await readJson(await post("/auth/mfa/totp/enroll", person, undefined));
      return post("/auth/mfa/totp/confirm", person, { code: oneTimePassword(data.secret) }, { env: e });
    },
  ],
  [
    "DELETE /auth/mfa/totp",
    "write",
    200,
    budget(2, 80, 50),
    async (e) => {
      const person = await newNurse();
      await enrolTotp(person);
      return sendRequest(`${API}/auth/mfa/totp`, { as: person, method: "DELETE", env: e });
    },
  ],
  [
    "POST /auth/mfa/recovery-codes",
    "write",
    201,
    budget(2, 80, 60),
    async (e) => {
      const person = await newNurse();
      await enrolTotp(person);
      return post("/auth/mfa/recovery-codes", person, undefined, { env: e });
    },
  ],
  [
    "POST /auth/passkeys",
    "write",
    201,
    budget(2, 60, 70),
    async (e) => (await registerPasskey(await newNurse(), {}, "Key", e)).response,
  ],
  [
    "PATCH /auth/passkeys/{id}",
    "write",
    200,
    budget(2, 40, 12),
    async (e) => {
      const person = await newNurse();
      const { data } = await readJson((await registerPasskey(person)).response);
      return sendRequest(`${API}/auth/passkeys/${data.passkey_id}`, {
        as: person,
        method: "PATCH",
        json: { name: "Key" },
        env: e,
      });
    },
  ],
  [
    "DELETE /auth/passkeys/{id}",
    "write",
    200,
    budget(2, 80, 60),
    async (e) => {
      const person = await newNurse();
      const { data } = await readJson((await registerPasskey(person)).response);
      return sendRequest(`${API}/auth/passkeys/${data.passkey_id}`, { as: person, method: "DELETE", env: e });
    },
  ],
  [
    "POST /auth/step-up",
    "write",
    200,
    budget(3, 40, 15),
    async (e) => post("/auth/step-up", await newNurse(), { password: PASSWORD }, { env: e }),
  ],
  [
    "PUT /hospitals/{id}/factor-policy",
    "write",
    200,
    // Every member with the role is told.
    budget(2, 160, 30),
    async (e) => {
      const required_from = { nurse: null, hospital_admin: null, doctor: new Date(Date.now() + 86_400_000).toISOString() };
      return sendRequest(policyPath(), { as: await newManager(), method: "PUT", json: { required_from }, env: e });
    },
  ],
  [
    "POST /users/{id}/factors/reset",
    "write",
    200,
    budget(2, 80, 60),
    async (e) => {
      const [manager, person] = await Promise.all([newManager(), newNurse()]);
      await registerPasskey(manager);
      await enrolTotp(person);
      return post(`/users/${person.id}/factors/reset`, manager, undefined, { env: e });
    },
  ],
];
