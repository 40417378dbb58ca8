// Faults in requests about a person's phone number for text messages.
import { API, env, newPerson, sendRequest } from "../world.ts";
import { askForCode, newCallback, newPhone } from "./budgets-phone.ts";
import { type FaultCase, queryCount, world } from "./faults-world.ts";

const PATH = `${API}/notification-settings/phone`;
const newNurse = () => newPerson("nurse", world.hospitalId);

export const phoneNumbers: FaultCase[] = [
  {
    name: "PUT /notification-settings/phone",
    status: 202,
    retry: "none",
    used: 429,
    async attempt() {
      const as = await newNurse();
      const json = { phone: newPhone() };
      return {
        send: (faulty) => sendRequest(PATH, { as, method: "PUT", json, env: faulty }),
        effects: () => queryCount(env.DB.prepare("SELECT count(*) AS n FROM deliveries WHERE user_id = ?").bind(as.id)),
      };
    },
  },
  {
    name: "POST /notification-settings/phone/verify",
    status: 200,
    retry: "none",
    used: 403,
    async attempt() {
      const as = await newNurse();
      const json = { code: await askForCode(as) };
      return {
        send: (faulty) => sendRequest(`${PATH}/verify`, { as, json, env: faulty }),
        effects: () =>
          queryCount(
            env.DB.prepare("SELECT count(*) AS n FROM notification_settings WHERE user_id = ? AND phone_verified_at > 0").bind(
              as.id,
            ),
          ),
      };
    },
  },
  {
    name: "POST /sms/status",
    status: 204,
    retry: "none",
    used: 409,
    withoutEvent: true,
    withoutKv: true,
    async attempt() {
      const { id, send } = await newCallback();
      const settled = env.DB.prepare("SELECT count(*) AS n FROM deliveries WHERE id = ? AND settled_at > 0");
      return { send, effects: () => queryCount(settled.bind(id)) };
    },
  },
  {
    name: "DELETE /notification-settings/phone",
    status: 200,
    retry: "any",
    async attempt() {
      const as = await newNurse();
      return { send: (faulty) => sendRequest(PATH, { as, method: "DELETE", env: faulty }) };
    },
  },
];
