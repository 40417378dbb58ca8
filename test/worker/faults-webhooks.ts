// Faults in requests about webhooks.
import { newWebhook } from "../authz.world.ts";
import { API, env, newWorld, sendRequest } from "../world.ts";
import { type FaultCase, queryCount, readCase, withNewKey, world } from "./faults-world.ts";

const count = (query: string, id: string) =>
  // biome-ignore lint/plugin: constants of this file.
  queryCount(env.DB.prepare(`SELECT ${query} AS n`).bind(id));

/** A change of a new webhook. @param effects counts what the change does, in SQL, by the webhook's id */
function changeCase(
  name: string,
  status: number,
  retry: FaultCase["retry"],
  effects: string,
  toRequest: (ids: { webhookId: string; messageId: string }) => {
    path: string;
    method?: string;
    json?: object;
    headers?: object;
  },
  more: Partial<FaultCase> & { isOff?: true } = {},
): FaultCase {
  const { isOff, ...rest } = more;
  return {
    ...{ name, status, retry },
    ...rest,
    async attempt() {
      const { hospitalId, manager } = await newWorld();
      const ids = await newWebhook(hospitalId, !isOff);
      const { path, method = "POST", json, headers } = toRequest(ids);
      const options = {
        as: manager,
        method,
        ...(json && { json }),
        ...(headers && { headers: { ...headers } as Record<string, string> }),
      };
      return {
        send: (faulty) => sendRequest(`${API}/webhooks/${ids.webhookId}${path}`, { ...options, env: faulty }),
        effects: () => count(effects, ids.webhookId),
      };
    },
  };
}

export const webhooks: FaultCase[] = [
  readCase(
    "GET /webhooks",
    () => `${API}/webhooks`,
    () => world.manager,
  ),
  {
    name: "POST /webhooks",
    status: 201,
    retry: "once",
    async attempt() {
      const { hospitalId, manager } = await newWorld();
      const json = { url: "https://his.example.org/", events: ["alert.raised"] };
      const options = { as: manager, json, ...withNewKey() };
      return {
        send: (faulty) => sendRequest(`${API}/webhooks`, { ...options, env: faulty }),
        effects: () => count("(SELECT count(*) FROM webhooks WHERE hospital_id = ?)", hospitalId),
      };
    },
  },
  changeCase("PATCH /webhooks/{id}", 200, "none", "(SELECT version - 1 FROM webhooks WHERE id = ?)", () => ({
    path: "",
    method: "PATCH",
    json: { description: "x" },
    headers: { "If-Match": '"1"' },
  })),
  changeCase(
    "DELETE /webhooks/{id}",
    200,
    "none",
    "(SELECT 1 - count(*) FROM webhooks WHERE id = ?)",
    () => ({ path: "", method: "DELETE" }),
    { used: 404 },
  ),
  changeCase("POST /webhooks/{id}/rotate-secret", 201, "once", "(SELECT version - 1 FROM webhooks WHERE id = ?)", () => ({
    path: "/rotate-secret",
    ...withNewKey(),
  })),
  changeCase("POST /webhooks/{id}/test", 202, "once", "(SELECT count(*) - 1 FROM deliveries WHERE target_id = ?)", () => ({
    path: "/test",
    ...withNewKey(),
  })),
  changeCase(
    "POST /webhooks/{id}/enable",
    200,
    "any",
    "(SELECT version - 1 FROM webhooks WHERE id = ?)",
    () => ({ path: "/enable" }),
    { isOff: true },
  ),
  changeCase(
    "POST /webhooks/{id}/deliveries/{id}/resend",
    202,
    "none",
    "(SELECT count(*) FROM deliveries WHERE target_id = ? AND (status <> 'accepted' OR next_attempt_at IS NOT NULL))",
    ({ messageId }) => ({ path: `/deliveries/${messageId}/resend` }),
    { used: 409 },
  ),
];
