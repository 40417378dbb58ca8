// Faults in requests about Web Push and preferences of messages.
import { API, env, newHospital, newPerson, readJson, sendRequest } from "../world.ts";
import { type FaultCase, queryCount, readCase, world } from "./faults-world.ts";
import { newBrowser } from "./push-service.ts";

const newNurse = () => newPerson("nurse", world.hospitalId);

async function newSubscriber() {
  const person = await newNurse();
  const sent = await sendRequest(`${API}/push/subscriptions`, { as: person, json: newBrowser().subscription });
  return { person, id: String((await readJson(sent)).data.subscription_id) };
}

export const messages: FaultCase[] = [
  readCase("GET /push/subscriptions", () => `${API}/push/subscriptions`),
  readCase("GET /notification-settings", () => `${API}/notification-settings`),
  readCase("GET /notification-preferences", () => `${API}/notification-preferences`),
  readCase(
    "GET /hospitals/{id}/required-channels",
    () => `${API}/hospitals/${world.hospitalId}/required-channels`,
    () => world.manager,
  ),
  readCase(
    "GET /hospitals/{id}/unreachable-members",
    () => `${API}/hospitals/${world.hospitalId}/unreachable-members`,
    () => world.manager,
  ),
  {
    name: "POST /push/subscriptions",
    status: 201,
    retry: "any",
    async attempt() {
      const person = await newNurse();
      const json = newBrowser().subscription;
      const rows = env.DB.prepare("SELECT count(*) AS n FROM push_subscriptions WHERE user_id = ?").bind(person.id);
      return {
        send: (faulty) => sendRequest(`${API}/push/subscriptions`, { as: person, json, env: faulty }),
        effects: () => queryCount(rows),
      };
    },
  },
  {
    name: "DELETE /push/subscriptions/{id}",
    status: 200,
    retry: "none",
    used: 404,
    async attempt() {
      const { person, id } = await newSubscriber();
      const gone = env.DB.prepare("SELECT 1 - count(*) AS n FROM push_subscriptions WHERE id = ?").bind(id);
      return {
        send: (faulty) => sendRequest(`${API}/push/subscriptions/${id}`, { as: person, method: "DELETE", env: faulty }),
        effects: () => queryCount(gone),
      };
    },
  },
  {
    name: "PATCH /notification-settings",
    status: 200,
    retry: "none",
    async attempt() {
      const person = await newNurse();
      const change = { as: person, method: "PATCH", json: { language: "hi" }, headers: { "If-Match": '"1"' } };
      const row = env.DB.prepare("SELECT count(*) AS n FROM notification_settings WHERE user_id = ? AND language = 'hi'");
      return {
        send: (faulty) => sendRequest(`${API}/notification-settings`, { ...change, env: faulty }),
        effects: () => queryCount(row.bind(person.id)),
      };
    },
  },
  {
    name: "PUT /notification-preferences",
    status: 200,
    retry: "any",
    async attempt() {
      const person = await newNurse();
      const json = { choices: [{ kind: "alert.raised", channel: "push", is_on: false }] };
      const rows = env.DB.prepare("SELECT count(*) AS n FROM notification_choices WHERE user_id = ?").bind(person.id);
      return {
        send: (faulty) => sendRequest(`${API}/notification-preferences`, { as: person, method: "PUT", json, env: faulty }),
        effects: () => queryCount(rows),
      };
    },
  },
  {
    // Each test is a message of its own; the limits of a minute and a day bound them.
    name: "POST /notification-settings/test",
    status: 202,
    retry: "any",
    async attempt() {
      const { person, id } = await newSubscriber();
      const sent = env.DB.prepare(
        "SELECT count(*) > 0 AS n FROM deliveries WHERE target_id = ? AND kind = 'notification.test'",
      ).bind(id);
      const json = { channel: "push" };
      return {
        send: (faulty) => sendRequest(`${API}/notification-settings/test`, { as: person, json, env: faulty }),
        effects: () => queryCount(sent),
      };
    },
  },
  {
    name: "PUT /hospitals/{id}/required-channels",
    status: 200,
    retry: "any",
    async attempt() {
      const hospitalId = await newHospital();
      const manager = await newPerson("hospital_admin", hospitalId);
      const json = { required: [{ role: "nurse", channel: "push" }] };
      const rows = env.DB.prepare("SELECT count(*) AS n FROM required_channels WHERE hospital_id = ?").bind(hospitalId);
      const path = `${API}/hospitals/${hospitalId}/required-channels`;
      return {
        send: (faulty) => sendRequest(path, { as: manager, method: "PUT", json, env: faulty }),
        effects: () => queryCount(rows),
      };
    },
  },
];
