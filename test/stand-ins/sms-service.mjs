// The outside world of the tests. https://sms.test stands in for a provider with Twilio's Messages resource, and refuses what its
// documents say it refuses; other hosts are reached as they are.
// https://www.twilio.com/docs/messaging/api/message-resource, /docs/api/errors and /docs/usage/webhooks/webhooks-security.
import { WorkerEntrypoint } from "cloudflare:workers";

const MAX_KEPT = 5_000;
const encoder = new TextEncoder();

/** Messages that were taken over, oldest first, and what numbers were told to answer. */
const kept = [];
const behaviours = new Map();

const problem = (status, code, message, headers = {}) =>
  Response.json({ code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status }, { status, headers });

function findProblem(form) {
  const [to, from, service, body] = ["To", "From", "MessagingServiceSid", "Body"].map((name) => form.get(name) ?? "");
  if (to === "") return problem(400, 21604, "A 'To' phone number is required.");
  if (!/^\+[1-9][0-9]{6,14}$/.test(to)) return problem(400, 21211, `Invalid 'To' Phone Number: ${to}`);
  if (from === "" && service === "") return problem(400, 21603, "A 'From' phone number is required.");
  if (body === "") return problem(400, 21602, "Message body is required.");
  if (body.length > 1600) return problem(400, 21617, "The concatenated message body exceeds the 1600 character limit.");
  const validity = form.get("ValidityPeriod");
  if (validity !== null && !(/^[0-9]+$/.test(validity) && Number(validity) >= 1 && Number(validity) <= 36_000))
    return problem(400, 90007, "Invalid validity period value");
  const callback = form.get("StatusCallback");
  const url = callback === null ? null : URL.parse(callback);
  if (callback !== null && (!url || !/^https?:$/.test(url.protocol) || url.hostname.includes("_") || callback.length > 4000))
    return problem(400, 21609, "The 'StatusCallback' URL is not a valid URL.");
  return null;
}

function nextBehaviour(to) {
  const [first, ...others] = behaviours.get(to) ?? [];
  if (first) behaviours.set(to, others);
  return first ?? "queued";
}

async function createMessage(request, env) {
  const path = `/2010-04-01/Accounts/${env.SMS_ACCOUNT_SID}/Messages.json`;
  if (request.headers.get("Authorization") !== `Basic ${btoa(`${env.SMS_ACCOUNT_SID}:${env.SMS_AUTH_TOKEN}`)}`)
    return problem(401, 20003, "Authenticate");
  if (request.method !== "POST" || new URL(request.url).pathname !== path) return problem(404, 20404, "Not found");
  if (!request.headers.get("Content-Type")?.startsWith("application/x-www-form-urlencoded"))
    return problem(400, 20001, "Bad request");
  const form = new URLSearchParams([...(await request.formData())]);
  const refused = findProblem(form);
  if (refused) return refused;
  return answer(form, nextBehaviour(form.get("To")));
}

async function answer(form, behaviour) {
  if (behaviour === "429") return problem(429, 20429, "Too many requests", { "Retry-After": "7" });
  if (behaviour === "500") return problem(500, 20500, "Internal server error");
  if (behaviour === "503") return problem(503, 20503, "Service unavailable", { "Retry-After": "30" });
  if (/^[0-9]{5}$/.test(behaviour)) return problem(400, Number(behaviour), "Refused for the test");
  const sid = `SM${crypto.randomUUID().replaceAll("-", "")}`;
  const message = { sid, ...Object.fromEntries(form) };
  kept.push(message);
  if (kept.length > MAX_KEPT) kept.shift();
  if (behaviour === "hang") await scheduler.wait(20_000);
  if (behaviour === "garbled") return new Response("<html>", { status: 200 });
  const { To: to, From: from, Body: body } = message;
  return Response.json({ sid, status: behaviour, to, from, body, error_code: null, error_message: null }, { status: 201 });
}

async function sign(token, text) {
  const key = await crypto.subtle.importKey("raw", encoder.encode(token), { name: "HMAC", hash: "SHA-1" }, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
  return btoa(String.fromCharCode(...mac));
}

/** The binding SMS_BOX: what tests read and set. */
export class SmsBox extends WorkerEntrypoint {
  arrived(to) {
    return kept.filter((message) => message.To === to);
  }

  /** What the next messages to a number get: a status, `429`, `500`, `503`, an error code, `hang` for 20 s or `garbled`. */
  behave(to, next) {
    behaviours.set(to, next);
  }

  /** The callback of a status, as the provider sends it. */
  async callback(sid, status, errorCode) {
    const message = kept.find((one) => one.sid === sid);
    const form = {
      ...{ AccountSid: this.env.SMS_ACCOUNT_SID, ApiVersion: "2010-04-01", From: message.From, To: message.To },
      ...{ MessageSid: sid, SmsSid: sid, MessageStatus: status, SmsStatus: status },
      ...(errorCode && { ErrorCode: errorCode }),
    };
    const parameters = Object.keys(form)
      .sort()
      .map((name) => name + form[name]);
    const signature = await sign(this.env.SMS_AUTH_TOKEN, message.StatusCallback + parameters.join(""));
    return { url: message.StatusCallback, body: new URLSearchParams(form).toString(), signature };
  }
}

export default {
  fetch: (request, env) => (new URL(request.url).host === "sms.test" ? createMessage(request, env) : fetch(request)),
};
