// What the answers of the Messages resource say of a text message.
// https://www.twilio.com/docs/messaging/api/message-resource and https://www.twilio.com/docs/api/errors
import { z } from "zod";
import { readBodyStart, readRetryAfterMs } from "../../platform/http-answers.ts";
import { DAY_MS } from "../../platform/time.ts";
import type { Outcome } from "../channel.ts";

const Message = z.object({ sid: z.string().max(64), status: z.string().max(32) });
const Problem = z.object({ code: z.number().int(), message: z.string() });

/** Errors of the number: another attempt gets the same answer. */
const REFUSED_CODES: ReadonlySet<number> = new Set([
  21211, // invalid 'To' number
  21408, // the account may not send to this region
  21608, // a trial account sends to verified numbers only
  21610, // the recipient has replied STOP
  21612, // no route from the sender to this number
  21614, // not a mobile number
  21617, // body too long
  21635, // a landline
]);
const MAX_ANSWER_BYTES = 16_384;
const MAX_RETRY_AFTER_MS = DAY_MS;

function parse<S extends z.ZodType>(schema: S, text: string): z.output<S> | null {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The text that is kept of an accepted message: its id and its last known status. */
export const formatAnswer = (sid: string, status: string, errorCode?: string): string =>
  [sid, status, ...(errorCode ? [errorCode] : [])].join(" ");

/** The id of a message: its type and 32 hexadecimal digits. https://www.twilio.com/docs/glossary/what-is-a-sid */
export const MESSAGE_SID = /^(?:SM|MM)[0-9a-fA-F]{32}$/;

/** The message that a kept text names; null for the text of an error. */
export function parseAnswer(text: string): { sid: string; status: string } | null {
  const [sid = "", status = ""] = text.split(" ");
  return MESSAGE_SID.test(sid) ? { sid, status } : null;
}

/** @param now epoch milliseconds */
export async function outcomeOfResponse(response: Response, now: number): Promise<Outcome> {
  const { status } = response;
  const text = await readBodyStart(response, MAX_ANSWER_BYTES);
  if (response.ok) {
    const message = parse(Message, text);
    if (!message) return { result: "unknown", answer: { status, text } };
    const isOver = message.status === "failed" || message.status === "undelivered";
    const answer = { status, text: formatAnswer(message.sid, message.status) };
    return { result: isOver ? "refused" : "accepted", answer };
  }
  const problem = parse(Problem, text);
  const answer = { status, text: problem ? `${problem.code}: ${problem.message}` : text };
  if (problem && REFUSED_CODES.has(problem.code)) return { result: "refused", answer };
  // "Requests that receive 429 responses aren't processed"; 503 says the same of a service that is down.
  const wait = status === 429 || status === 503 ? readRetryAfterMs(response.headers, now, MAX_RETRY_AFTER_MS) : undefined;
  if (status < 500 || status === 503) return { result: "failed", answer, ...(wait !== undefined && { retryAfterMs: wait }) };
  return { result: "unknown", answer };
}
