// Budgets of accounts, sessions, invitations and the audit log.
import { readToken, setVerified } from "../letters.ts";
import { newFailedDelivery, newNotification } from "../notification-rows.ts";
import { API, env, newLogin, newPerson, PASSWORD, readJson, sendRequest, uniqueText } from "../world.ts";
import { admin, type BudgetCase, budget, getAs, nurse, withNewKey, world } from "./budgets-world.ts";

const PHRASE = "lanterns over seven hills";

export const accountReads: BudgetCase[] = [
  ["GET /auth/me", "read", 200, budget(1, 15, 0), getAs("/auth/me", nurse)],
  ["GET /users", "read", 200, budget(1, 55, 0), getAs("/users", () => world.manager)],
  ["GET /users/{id}", "read", 200, budget(1, 15, 0), (e) => getAs(`/users/${world.nurse.id}`, () => world.manager)(e)],
  ["GET /users/invitations", "read", 200, budget(1, 15, 0), getAs("/users/invitations", () => world.manager)],
  ["GET /auth/sessions", "read", 200, budget(1, 10, 0), getAs("/auth/sessions", nurse)],
  ["GET /notifications", "read", 200, budget(1, 20, 0), getAs("/notifications", nurse)],
  ["GET /notifications/unread-count", "read", 200, budget(1, 15, 0), getAs("/notifications/unread-count", nurse)],
  ["GET /notifications/deliveries", "read", 200, budget(1, 30, 0), getAs("/notifications/deliveries", () => world.manager)],
  ["GET /audit-events", "read", 200, budget(2, 15, 0, "", "audit.select"), getAs("/audit-events", () => world.manager)],
  [
    "GET /audit-events/export",
    "read",
    200,
    budget(2, 15, 0, "", "audit.select"),
    getAs("/audit-events/export", () => world.manager),
  ],
  [
    "GET /audit-events/checkpoint",
    "read",
    200,
    budget(1, 15, 0, "", "audit.checkpoint"),
    getAs("/audit-events/checkpoint", () => world.manager),
  ],
  [
    "GET /audit-events/verify",
    "read",
    200,
    budget(1, 15, 0, "list get get list get", "audit.status audit.listCheckpoints"),
    getAs("/audit-events/verify", () => world.manager),
  ],
  [
    "GET /audit-events/retention",
    "read",
    200,
    budget(1, 15, 0, "", "audit.status"),
    getAs("/audit-events/retention", () => world.manager),
  ],
  [
    "GET /audit-events/{id}/proof",
    "read",
    200,
    budget(2, 20, 0, "", "audit.prove"),
    async (e) => {
      const { data } = await readJson(await sendRequest(`${API}/audit-events?limit=1`, { as: world.manager }));
      return getAs(`/audit-events/${data[0].id}/proof`, () => world.manager)(e);
    },
  ],
  ["GET /admin/users", "read", 200, budget(1, 130, 0), getAs("/admin/users", admin)],
];

const hold = (method: string) => (e: Env) =>
  sendRequest(`${API}/hospitals/${world.hospitalId}/legal-hold`, {
    as: world.admin,
    method,
    ...(method === "PUT" && { json: { reason: "Proceedings" } }),
    env: e,
  });

export const accountWrites: BudgetCase[] = [
  ["PUT /hospitals/{id}/legal-hold", "write", 200, budget(2, 15, 6, "", "audit.setHold"), hold("PUT")],
  ["DELETE /hospitals/{id}/legal-hold", "write", 200, budget(2, 15, 6, "", "audit.setHold"), hold("DELETE")],
  [
    "POST /auth/register",
    "write",
    201,
    budget(3, 45, 90),
    (e) =>
      sendRequest(`${API}/auth/register`, {
        json: { email: `${uniqueText()}@example.org`, password: PHRASE, full_name: "Meera Iyer" },
        env: e,
      }),
  ],
  [
    "POST /users/invite",
    "write",
    201,
    budget(3, 15, 15),
    (e) =>
      sendRequest(`${API}/users/invite`, {
        as: world.manager,
        json: { email: `${uniqueText()}@example.org`, role: "nurse" },
        ...withNewKey(),
        env: e,
      }),
  ],
  [
    "POST /users/invite, other body",
    "write",
    409,
    budget(3, 15, 10),
    async (e) => {
      const headers = { "Idempotency-Key": uniqueText() };
      const invite = (email: string, of: Env) =>
        sendRequest(`${API}/users/invite`, { as: world.manager, json: { email, role: "nurse" }, headers, env: of });
      await invite("one@example.org", env);
      return invite("two@example.org", e);
    },
  ],
  [
    "POST /auth/invitations/accept",
    "write",
    201,
    budget(3, 60, 40),
    async (e) => {
      const json = { email: `${uniqueText()}@example.org`, full_name: "Ravi Kumar", role: "nurse" };
      const { data } = await readJson(await sendRequest(`${API}/users/invite`, { as: world.manager, json }));
      return sendRequest(`${API}/auth/invitations/accept`, { json: { token: data.token, password: PHRASE }, env: e });
    },
  ],
  [
    "POST /auth/invitations/join",
    "write",
    200,
    budget(3, 45, 20),
    async (e) => {
      const person = await newPerson("patient");
      const json = { email: person.email, role: "nurse" };
      const { data } = await readJson(await sendRequest(`${API}/users/invite`, { as: world.manager, json }));
      return sendRequest(`${API}/auth/invitations/join`, { as: person, json: { token: data.token }, env: e });
    },
  ],
  [
    "POST /notifications/read-all",
    "write",
    200,
    budget(2, 40, 20),
    async (e) => {
      await newNotification(world.nurse);
      return sendRequest(`${API}/notifications/read-all`, { as: world.nurse, json: {}, env: e });
    },
  ],
  [
    "POST /notifications/{id}/read",
    "write",
    200,
    budget(2, 40, 20),
    async (e) => {
      const id = await newNotification(world.nurse);
      return sendRequest(`${API}/notifications/${id}/read`, { as: world.nurse, method: "POST", env: e });
    },
  ],
  [
    "POST /notifications/deliveries/{id}/resend",
    "write",
    202,
    budget(3, 40, 20),
    async (e) => {
      const path = `${API}/notifications/deliveries/${await newFailedDelivery(world.hospitalId)}/resend`;
      return sendRequest(path, { as: world.manager, method: "POST", ...withNewKey(), env: e });
    },
  ],
  [
    "POST /users/{id}/password-reset",
    "write",
    201,
    budget(3, 45, 20),
    async (e) => {
      const { id } = await newPerson("nurse", world.hospitalId);
      return sendRequest(`${API}/users/${id}/password-reset`, { as: world.manager, method: "POST", ...withNewKey(), env: e });
    },
  ],
  [
    "POST /auth/password/reset",
    "write",
    200,
    budget(3, 60, 25),
    async (e) => {
      const { id } = await newPerson("nurse", world.hospitalId);
      const { data } = await readJson(
        await sendRequest(`${API}/users/${id}/password-reset`, { as: world.manager, method: "POST" }),
      );
      return sendRequest(`${API}/auth/password/reset`, { json: { token: data.token, new_password: PHRASE }, env: e });
    },
  ],
  [
    "POST /auth/password/forgot",
    "write",
    200,
    budget(3, 25, 15),
    async (e) => {
      const { id, email } = await newPerson("nurse", world.hospitalId);
      await setVerified(id);
      return sendRequest(`${API}/auth/password/forgot`, { json: { email }, env: e });
    },
  ],
  [
    "POST /auth/email/verification",
    "write",
    200,
    budget(3, 25, 15),
    async (e) => sendRequest(`${API}/auth/email/verification`, { as: await newPerson("patient"), method: "POST", env: e }),
  ],
  [
    "POST /auth/email/change",
    "write",
    200,
    budget(3, 35, 20),
    async (e) => {
      const json = { email: `${uniqueText()}@example.org`, password: PASSWORD };
      return sendRequest(`${API}/auth/email/change`, { as: await newPerson("patient"), json, env: e });
    },
  ],
  [
    "POST /auth/email/verify",
    "write",
    200,
    budget(3, 30, 15),
    async (e) => {
      const as = await newPerson("patient");
      await sendRequest(`${API}/auth/email/verification`, { as, method: "POST" });
      const token = await readToken(as.id, "letter.email_verification");
      return sendRequest(`${API}/auth/email/verify`, { json: { token }, env: e });
    },
  ],
  [
    "POST /auth/password/change",
    "write",
    200,
    budget(3, 40, 20),
    async (e) => {
      const as = await newPerson("nurse", world.hospitalId);
      const json = { current_password: PASSWORD, new_password: PHRASE };
      return sendRequest(`${API}/auth/password/change`, { as, json, env: e });
    },
  ],
  [
    "PATCH /users/{id}",
    "write",
    200,
    budget(3, 45, 15),
    async (e) => {
      const { id } = await newPerson("nurse", world.hospitalId);
      const change = { as: world.manager, method: "PATCH", json: { is_active: false }, headers: { "If-Match": '"1"' } };
      return sendRequest(`${API}/users/${id}`, { ...change, env: e });
    },
  ],
  [
    "DELETE /users/{id}",
    "write",
    200,
    budget(3, 45, 15),
    async (e) => {
      const { id } = await newPerson("nurse", world.hospitalId);
      return sendRequest(`${API}/users/${id}`, { as: world.manager, method: "DELETE", env: e });
    },
  ],
  [
    "PATCH /auth/me",
    "write",
    200,
    budget(3, 15, 10),
    async (e) => {
      const as = await newPerson("nurse", world.hospitalId);
      return sendRequest(`${API}/auth/me`, {
        as,
        method: "PATCH",
        json: { full_name: "X" },
        headers: { "If-Match": '"1"' },
        env: e,
      });
    },
  ],
  [
    "POST /auth/switch-hospital",
    "write",
    200,
    // Notifies the live views of both hospitals (0004_changes).
    budget(3, 20, 12),
    async (e) =>
      sendRequest(`${API}/auth/switch-hospital`, {
        as: await newPerson("nurse", world.hospitalId),
        json: { hospital_id: null },
        env: e,
      }),
  ],
  [
    "POST /auth/login",
    "write",
    200,
    budget(3, 40, 15),
    async (e) => {
      const { email } = await newPerson("nurse", world.hospitalId);
      // The client of the account's other session: no notice of a new browser.
      const headers = { "User-Agent": "test" };
      return sendRequest(`${API}/auth/login`, { json: { email, password: PASSWORD }, headers, env: e });
    },
  ],
  [
    "POST /auth/refresh",
    "write",
    200,
    budget(3, 15, 10),
    async (e) => {
      const session = await newLogin(world.nurse.id, { role: "nurse", hospitalId: world.hospitalId, doctorScope: "care_team" });
      return sendRequest(`${API}/auth/refresh`, { json: { refresh_token: session.refresh }, env: e });
    },
  ],
  [
    "POST /auth/logout",
    "write",
    200,
    budget(3, 10, 10),
    async (e) => {
      const session = await newLogin(world.nurse.id, { role: "nurse", hospitalId: world.hospitalId, doctorScope: "care_team" });
      return sendRequest(`${API}/auth/logout`, { as: session, method: "POST", env: e });
    },
  ],
];
