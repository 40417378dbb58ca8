// Whether the hospital's policy asks the signed-in user for a second step.
import { serverNow } from "../../monitoring/live/server-clock.ts";
import { useMe, useSession } from "../session/use-session.ts";

export const SECURITY_PATH = "/account/security";

/**
 * `announced`: from a later date, and nothing is enrolled; `enrol`: now, and nothing is enrolled; `use`: now, and the sign-in of this
 * session had none. The date is compared with the server's clock; a request that the service refuses for it counts in any case.
 */
export type SecondStepDemand = { kind: "none" } | { kind: "announced" | "enrol" | "use"; from: string };

export function useSecondStepDemand(): SecondStepDemand {
  const session = useSession();
  const { required_from, is_enrolled, is_done } = useMe().second_step;
  if (required_from === null || is_done) return { kind: "none" };
  const isDemanded = "me" in session && session.isSecondStepDemanded === true;
  if (isDemanded || Date.parse(required_from) <= serverNow()) return { kind: is_enrolled ? "use" : "enrol", from: required_from };
  return is_enrolled ? { kind: "none" } : { kind: "announced", from: required_from };
}
