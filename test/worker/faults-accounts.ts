// Faults of accounts, sessions and invitations.
import { emailIndex } from "../../src/accounts/auth/names.ts";
import { keysOf } from "../../src/platform/config.ts";
import { API, ask, env, newLogin, newPerson, PASSWORD, read, unique } from "../world.ts";
import { count, keyed, type Route, world } from "./faults-world.ts";

const PHRASE = "lanterns over seven hills";

export const accounts: Route[] = [
  {
    name: "POST /auth/register",
    status: 201,
    retry: "none",
    used: 409,
    async attempt() {
      const json = { email: `${unique()}@example.org`, password: PHRASE, full_name: `Canary ${unique()}` };
      const index = await emailIndex(await keysOf(env), json.email);
      return {
        send: (faulty) => ask(`${API}/auth/register`, { json, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM users WHERE email_index = ?").bind(index)),
      };
    },
  },
  {
    name: "POST /users/invite",
    status: 201,
    retry: "once",
    async attempt() {
      const manager = await newPerson("hospital_admin", world.hospitalId);
      const options = { as: manager, json: { email: `${unique()}@example.org`, role: "nurse" }, ...keyed() };
      return {
        send: (faulty) => ask(`${API}/users/invite`, { ...options, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM invitations WHERE created_by = ?").bind(manager.id)),
      };
    },
  },
  {
    name: "POST /auth/invitations/accept",
    status: 201,
    retry: "none",
    used: 403,
    async attempt() {
      const json = { email: `${unique()}@example.org`, full_name: "Ravi Kumar", role: "nurse" };
      const { data } = await read(await ask(`${API}/users/invite`, { as: world.manager, json }));
      const taken = env.DB.prepare(
        "SELECT count(*) AS n FROM memberships WHERE user_id = (SELECT accepted_by FROM invitations WHERE id = ?)",
      );
      const accept = { token: data.token, password: PHRASE };
      return {
        send: (faulty) => ask(`${API}/auth/invitations/accept`, { json: accept, env: faulty }),
        effects: () => count(taken.bind(data.invitation_id)),
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
      const { data } = await read(await ask(`${API}/users/${id}/password-reset`, { as: world.manager, method: "POST" }));
      const json = { token: data.token, new_password: PHRASE };
      const used = env.DB.prepare("SELECT count(*) AS n FROM password_resets WHERE user_id = ? AND used_at IS NOT NULL");
      return {
        send: (faulty) => ask(`${API}/auth/password/reset`, { json, env: faulty }),
        effects: () => count(used.bind(id)),
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
        send: (faulty) => ask(`${API}/users/${id}`, { ...change, env: faulty }),
        effects: () => count(off.bind(id)),
      };
    },
  },
  {
    name: "POST /auth/login",
    status: 200,
    retry: "any",
    async attempt() {
      const { email } = await newPerson("nurse", world.hospitalId);
      return { send: (faulty) => ask(`${API}/auth/login`, { json: { email, password: PASSWORD }, env: faulty }) };
    },
  },
  {
    name: "POST /auth/refresh",
    status: 200,
    retry: "any",
    async attempt() {
      const session = await newLogin(world.nurse.id, { role: "nurse", hospitalId: world.hospitalId, doctorScope: "care_team" });
      return { send: (faulty) => ask(`${API}/auth/refresh`, { json: { refresh_token: session.refresh }, env: faulty }) };
    },
  },
];
