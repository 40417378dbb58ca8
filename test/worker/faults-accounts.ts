// Faults in requests about accounts, sessions and invitations.
import { computeEmailIndex } from "../../src/accounts/auth/login-names.ts";
import { getKeys } from "../../src/platform/config.ts";
import { listLetters, readToken, setVerified } from "../letters.ts";
import { newFailedDelivery, newNotification } from "../notification-rows.ts";
import { API, env, newLogin, newPerson, PASSWORD, readJson, sendRequest, uniqueText } from "../world.ts";
import { type FaultCase, queryCount, readCase, withNewKey, world } from "./faults-world.ts";

const PHRASE = "lanterns over seven hills";

export const accounts: FaultCase[] = [
  readCase("GET /notifications", () => `${API}/notifications`),
  readCase("GET /notifications/unread-count", () => `${API}/notifications/unread-count`),
  readCase(
    "GET /notifications/deliveries",
    () => `${API}/notifications/deliveries`,
    () => world.manager,
  ),
  {
    name: "POST /notifications/read-all",
    status: 200,
    retry: "any",
    async attempt() {
      const id = await newNotification(world.nurse);
      return {
        send: (faulty) => sendRequest(`${API}/notifications/read-all`, { as: world.nurse, json: {}, env: faulty }),
        effects: () => queryCount(env.DB.prepare("SELECT count(read_at) AS n FROM notifications WHERE id = ?").bind(id)),
      };
    },
  },
  {
    name: "POST /notifications/{id}/read",
    status: 200,
    retry: "any",
    async attempt() {
      const id = await newNotification(world.nurse);
      return {
        send: (faulty) => sendRequest(`${API}/notifications/${id}/read`, { as: world.nurse, method: "POST", env: faulty }),
        effects: () => queryCount(env.DB.prepare("SELECT count(read_at) AS n FROM notifications WHERE id = ?").bind(id)),
      };
    },
  },
  {
    name: "POST /notifications/deliveries/{id}/resend",
    status: 202,
    retry: "once",
    async attempt() {
      const id = await newFailedDelivery(world.hospitalId);
      const options = { as: world.manager, method: "POST", ...withNewKey() };
      return {
        send: (faulty) => sendRequest(`${API}/notifications/deliveries/${id}/resend`, { ...options, env: faulty }),
        effects: () =>
          queryCount(env.DB.prepare("SELECT count(*) AS n FROM deliveries WHERE id = ? AND status = 'waiting'").bind(id)),
      };
    },
  },
  {
    name: "POST /auth/register",
    status: 201,
    retry: "none",
    used: 409,
    async attempt() {
      const json = { email: `${uniqueText()}@example.org`, password: PHRASE, full_name: `Canary ${uniqueText()}` };
      const index = await computeEmailIndex(await getKeys(env), json.email);
      return {
        send: (faulty) => sendRequest(`${API}/auth/register`, { json, env: faulty }),
        effects: () => queryCount(env.DB.prepare("SELECT count(*) AS n FROM users WHERE email_index = ?").bind(index)),
      };
    },
  },
  {
    name: "POST /users/invite",
    status: 201,
    retry: "once",
    async attempt() {
      const manager = await newPerson("hospital_admin", world.hospitalId);
      const options = { as: manager, json: { email: `${uniqueText()}@example.org`, role: "nurse" }, ...withNewKey() };
      return {
        send: (faulty) => sendRequest(`${API}/users/invite`, { ...options, env: faulty }),
        effects: () => queryCount(env.DB.prepare("SELECT count(*) AS n FROM invitations WHERE created_by = ?").bind(manager.id)),
      };
    },
  },
  {
    name: "POST /auth/invitations/accept",
    status: 201,
    retry: "none",
    used: 403,
    async attempt() {
      const json = { email: `${uniqueText()}@example.org`, full_name: "Ravi Kumar", role: "nurse" };
      const { data } = await readJson(await sendRequest(`${API}/users/invite`, { as: world.manager, json }));
      const taken = env.DB.prepare(
        "SELECT count(*) AS n FROM memberships WHERE user_id = (SELECT accepted_by FROM invitations WHERE id = ?)",
      );
      const accept = { token: data.token, password: PHRASE };
      return {
        send: (faulty) => sendRequest(`${API}/auth/invitations/accept`, { json: accept, env: faulty }),
        effects: () => queryCount(taken.bind(data.invitation_id)),
      };
    },
  },
  {
    name: "POST /auth/password/reset",
    status: 200,
    retry: "none",
    used: 403,
    async attempt() {
      const { id } = await newPerson("nurse", world.hospitalId);
      const { data } = await readJson(
        await sendRequest(`${API}/users/${id}/password-reset`, { as: world.manager, method: "POST" }),
      );
      const json = { token: data.token, new_password: PHRASE };
      const used = env.DB.prepare("SELECT count(*) AS n FROM password_resets WHERE user_id = ? AND used_at IS NOT NULL");
      return {
        send: (faulty) => sendRequest(`${API}/auth/password/reset`, { json, env: faulty }),
        effects: () => queryCount(used.bind(id)),
      };
    },
  },
  {
    name: "POST /auth/password/forgot",
    status: 200,
    retry: "once",
    async attempt() {
      const { id, email } = await newPerson("nurse", world.hospitalId);
      await setVerified(id);
      return {
        send: (faulty) => sendRequest(`${API}/auth/password/forgot`, { json: { email }, env: faulty }),
        effects: async () => (await listLetters(id, "letter.password_reset")).length,
      };
    },
  },
  {
    name: "POST /auth/email/verification",
    status: 200,
    retry: "none",
    used: 429,
    async attempt() {
      const as = await newPerson("patient");
      return {
        send: (faulty) => sendRequest(`${API}/auth/email/verification`, { as, method: "POST", env: faulty }),
        effects: async () => (await listLetters(as.id, "letter.email_verification")).length,
      };
    },
  },
  {
    name: "POST /auth/email/change",
    status: 200,
    retry: "none",
    used: 429,
    async attempt() {
      const as = await newPerson("patient");
      const json = { email: `${uniqueText()}@example.org`, password: PASSWORD };
      return {
        send: (faulty) => sendRequest(`${API}/auth/email/change`, { as, json, env: faulty }),
        effects: async () => (await listLetters(as.id, "letter.email_change")).length,
      };
    },
  },
  {
    name: "POST /auth/email/verify",
    status: 200,
    retry: "none",
    used: 403,
    async attempt() {
      const as = await newPerson("patient");
      await sendRequest(`${API}/auth/email/verification`, { as, method: "POST" });
      const json = { token: await readToken(as.id, "letter.email_verification") };
      const verified = env.DB.prepare("SELECT count(*) AS n FROM users WHERE id = ? AND email_verified_at IS NOT NULL");
      return {
        send: (faulty) => sendRequest(`${API}/auth/email/verify`, { json, env: faulty }),
        effects: () => queryCount(verified.bind(as.id)),
      };
    },
  },
  {
    name: "PATCH /users/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const { id } = await newPerson("nurse", world.hospitalId);
      const change = { as: world.manager, method: "PATCH", json: { is_active: false }, headers: { "If-Match": '"1"' } };
      const off = env.DB.prepare("SELECT count(*) AS n FROM memberships WHERE user_id = ? AND suspended_at IS NOT NULL");
      return {
        send: (faulty) => sendRequest(`${API}/users/${id}`, { ...change, env: faulty }),
        effects: () => queryCount(off.bind(id)),
      };
    },
  },
  {
    name: "POST /auth/login",
    status: 200,
    retry: "any",
    async attempt() {
      const { email } = await newPerson("nurse", world.hospitalId);
      return { send: (faulty) => sendRequest(`${API}/auth/login`, { json: { email, password: PASSWORD }, env: faulty }) };
    },
  },
  {
    name: "POST /auth/refresh",
    status: 200,
    retry: "any",
    withoutKv: true,
    async attempt() {
      const session = await newLogin(world.nurse.id, { role: "nurse", hospitalId: world.hospitalId, doctorScope: "care_team" });
      return { send: (faulty) => sendRequest(`${API}/auth/refresh`, { json: { refresh_token: session.refresh }, env: faulty }) };
    },
  },
];
