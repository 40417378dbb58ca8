// Budgets of webhooks.
import { newWebhook } from "../authz.world.ts";
import { API, sendRequest } from "../world.ts";
import { type BudgetCase, budget, getAs, withNewKey, world } from "./budgets-world.ts";

/** A webhook of the manager's hospital, which has no other. */
const withWebhook = (send: (path: string, ids: { webhookId: string; messageId: string }) => Promise<Response>) => async () => {
  const ids = await newWebhook(world.hospitalId);
  return send(`${API}/webhooks/${ids.webhookId}`, ids);
};
const manager = () => world.manager;
const webhookBody = () => ({ url: "https://his.example.org/", events: ["alert.raised"] });

export const webhookReads: BudgetCase[] = [
  ["GET /webhooks", "read", 200, budget(1, 60, 0), getAs("/webhooks", manager)],
  [
    "GET /webhooks/{id}",
    "read",
    200,
    budget(1, 15, 0),
    (e) => withWebhook((path) => sendRequest(path, { as: manager(), env: e }))(),
  ],
  [
    "GET /webhooks/{id}/deliveries",
    "read",
    200,
    budget(1, 20, 0),
    (e) => withWebhook((path) => sendRequest(`${path}/deliveries`, { as: manager(), env: e }))(),
  ],
];

export const webhookWrites: BudgetCase[] = [
  [
    "POST /webhooks",
    "write",
    201,
    budget(3, 40, 20),
    async (e) => {
      await newWebhook(world.hospitalId);
      return sendRequest(`${API}/webhooks`, { as: manager(), json: webhookBody(), ...withNewKey(), env: e });
    },
  ],
  [
    "PATCH /webhooks/{id}",
    "write",
    200,
    budget(2, 20, 15),
    (e) =>
      withWebhook((path) =>
        sendRequest(path, { as: manager(), method: "PATCH", json: { description: "x" }, headers: { "If-Match": '"1"' }, env: e }),
      )(),
  ],
  [
    "DELETE /webhooks/{id}",
    "write",
    200,
    budget(2, 20, 15),
    (e) => withWebhook((path) => sendRequest(path, { as: manager(), method: "DELETE", env: e }))(),
  ],
  ...(["rotate-secret", "test", "enable"] as const).map(
    (action): BudgetCase => [
      `POST /webhooks/{id}/${action}`,
      "write",
      { "rotate-secret": 201, test: 202, enable: 200 }[action],
      budget(2, 25, 20),
      (e) => withWebhook((path) => sendRequest(`${path}/${action}`, { as: manager(), method: "POST", env: e }))(),
    ],
  ),
  [
    "POST /webhooks/{id}/deliveries/{id}/resend",
    "write",
    202,
    budget(2, 25, 20),
    (e) =>
      withWebhook((path, { messageId }) =>
        sendRequest(`${path}/deliveries/${messageId}/resend`, { as: manager(), method: "POST", env: e }),
      )(),
  ],
];
