// Budgets of a person's phone number for text messages.
import { statusCallbackUrl } from "../../src/notifications/sms/callback-url.ts";
import { derivePhoneCode } from "../../src/notifications/sms/phone-numbers.ts";
import { signCallback } from "../../src/notifications/sms/status-callback.ts";
import { getKeys } from "../../src/platform/config.ts";
import { API, env, newPerson, type Person, sendRequest } from "../world.ts";
import { type BudgetCase, budget, getAs, nurse, world } from "./budgets-world.ts";

const PATH = "/notification-settings/phone";
/** A random Indian mobile number. */
export const newPhone = () => `+9196${String(Math.floor(Math.random() * 1e8)).padStart(8, "0")}`;
const newNurse = () => newPerson("nurse", world.hospitalId);

/** Asks for a code. @returns it */
export async function askForCode(as: Person): Promise<string> {
  await sendRequest(`${API}${PATH}`, { as, method: "PUT", json: { phone: newPhone() } });
  const id = await env.DB.prepare("SELECT id FROM phone_codes WHERE user_id = ?").bind(as.id).first<string>("id");
  return derivePhoneCode(await getKeys(env), id ?? "");
}

/** A text message that was sent, and the callback of its status as the provider signs it. */
export async function newCallback() {
  const id = `${crypto.randomUUID()}.sms.${crypto.randomUUID()}`;
  await env.DB.prepare(
    "INSERT INTO deliveries (id, channel, target_id, kind, priority, refs, status, created_at) VALUES (?, 'sms', '', '', 'normal', '{}', 'accepted', 1)",
  )
    .bind(id)
    .run();
  const url = statusCallbackUrl(env, id, Date.now());
  const form = new Map([
    ["MessageSid", `SM${"1".repeat(32)}`],
    ["MessageStatus", "delivered"],
  ]);
  const headers = {
    "Content-Type": "application/x-www-form-urlencoded",
    "X-Twilio-Signature": signCallback(env.SMS_AUTH_TOKEN ?? "", url, form),
  };
  const { pathname, search } = new URL(url);
  const send = (faulty: Env) =>
    sendRequest(pathname + search, { method: "POST", body: new URLSearchParams([...form]).toString(), headers, env: faulty });
  return { id, send };
}

export const phoneNumbers: BudgetCase[] = [
  ["POST /sms/status", "write", 204, budget(2, 5, 5), async (e) => (await newCallback()).send(e)],
  ["GET /notification-settings/phone", "read", 200, budget(1, 15, 0), getAs(PATH, nurse)],
  [
    "PUT /notification-settings/phone",
    "write",
    202,
    // The second verdict is that of the address: text messages cost money.
    { ...budget(2, 30, 20), kv: 2 },
    async (e) => sendRequest(`${API}${PATH}`, { as: await newNurse(), method: "PUT", json: { phone: newPhone() }, env: e }),
  ],
  [
    "POST /notification-settings/phone/verify",
    "write",
    200,
    budget(3, 30, 20),
    async (e) => {
      const as = await newNurse();
      return sendRequest(`${API}${PATH}/verify`, { as, json: { code: await askForCode(as) }, env: e });
    },
  ],
  [
    "DELETE /notification-settings/phone",
    "write",
    200,
    budget(2, 20, 15),
    async (e) => sendRequest(`${API}${PATH}`, { as: await newNurse(), method: "DELETE", env: e }),
  ],
];
