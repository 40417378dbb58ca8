// Answers of providers, and in the page's language what the service itself writes in place of one.
import { type PlainMessageKey, t } from "../platform/messages/translate.ts";

/** Texts of the service by the channels that write them. */
const OWN_TEXTS: Readonly<Record<string, PlainMessageKey>> = {
  "No connection, or no answer": "notifications.answer.no_connection",
  "No answer before the deadline": "notifications.answer.too_late",
  "no answer in time": "notifications.answer.too_late",
  "no time was left": "notifications.answer.too_late",
  "the stored address is not valid": "notifications.answer.address_wrong",
  "the name of the push service was not resolved": "notifications.answer.not_found",
  "The host name has no address": "notifications.answer.not_found",
  "The host must have public addresses only": "notifications.answer.not_public",
};

/** A provider's own words stay as they are. Call it while rendering: it depends on the language. */
export function translateAnswer(text: string): string {
  const key = OWN_TEXTS[text] ?? (/^no answer within \d+ ms$/.test(text) ? "notifications.answer.too_late" : null);
  return key === null ? text : t(key);
}
