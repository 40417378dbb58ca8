// Budgets of Web Push and of preferences of messages.
import { API, newPerson, readJson, sendRequest } from "../world.ts";
import { type BudgetCase, budget, getAs, nurse, world } from "./budgets-world.ts";
import { newBrowser } from "./push-service.ts";

const subscribe = async (e?: Env) => {
  const person = await newPerson("nurse", world.hospitalId);
  const json = newBrowser().subscription;
  return { person, response: await sendRequest(`${API}/push/subscriptions`, { as: person, json, ...(e && { env: e }) }) };
};

export const messageReads: BudgetCase[] = [
  ["GET /push/key", "read", 200, budget(1, 10, 0), getAs("/push/key", nurse)],
  ["GET /push/subscriptions", "read", 200, budget(1, 20, 0), getAs("/push/subscriptions", nurse)],
  ["GET /notification-settings", "read", 200, budget(1, 10, 0), getAs("/notification-settings", nurse)],
  ["GET /notification-preferences", "read", 200, budget(1, 20, 0), getAs("/notification-preferences", nurse)],
  [
    "GET /hospitals/{id}/required-channels",
    "read",
    200,
    budget(1, 15, 0),
    (e) => getAs(`/hospitals/${world.hospitalId}/required-channels`, () => world.manager)(e),
  ],
  [
    "GET /hospitals/{id}/unreachable-members",
    "read",
    200,
    budget(1, 60, 0),
    (e) => getAs(`/hospitals/${world.hospitalId}/unreachable-members`, () => world.manager)(e),
  ],
];

export const messageWrites: BudgetCase[] = [
  ["POST /push/subscriptions", "write", 201, budget(2, 30, 15), async (e) => (await subscribe(e)).response],
  [
    "DELETE /push/subscriptions/{id}",
    "write",
    200,
    budget(2, 20, 12),
    async (e) => {
      const { person, response } = await subscribe();
      const { data } = await readJson(response);
      return sendRequest(`${API}/push/subscriptions/${data.subscription_id}`, { as: person, method: "DELETE", env: e });
    },
  ],
  [
    "PATCH /notification-settings",
    "write",
    200,
    budget(2, 15, 10),
    async (e) =>
      sendRequest(`${API}/notification-settings`, {
        as: await newPerson("nurse", world.hospitalId),
        method: "PATCH",
        json: { language: "hi" },
        headers: { "If-Match": '"1"' },
        env: e,
      }),
  ],
  [
    "PUT /notification-preferences",
    "write",
    200,
    budget(2, 40, 12),
    async (e) =>
      sendRequest(`${API}/notification-preferences`, {
        as: await newPerson("nurse", world.hospitalId),
        method: "PUT",
        json: { choices: [{ kind: "alert.raised", channel: "push", is_on: false }] },
        env: e,
      }),
  ],
  [
    "POST /notification-settings/test",
    "write",
    202,
    budget(2, 40, 15),
    async (e) => {
      const { person } = await subscribe();
      return sendRequest(`${API}/notification-settings/test`, { as: person, json: { channel: "push" }, env: e });
    },
  ],
  [
    "PUT /hospitals/{id}/required-channels",
    "write",
    200,
    budget(2, 25, 12),
    (e) =>
      sendRequest(`${API}/hospitals/${world.hospitalId}/required-channels`, {
        as: world.manager,
        method: "PUT",
        json: { required: [{ role: "nurse", channel: "push" }] },
        env: e,
      }),
  ],
];
