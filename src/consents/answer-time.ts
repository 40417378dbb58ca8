// The time that a person has to answer a request.
import { DAY_MS } from "../platform/time.ts";

/** At most until the consent would end. */
export const ANSWER_MS = 30 * DAY_MS;
