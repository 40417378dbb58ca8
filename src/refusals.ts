// How a refusal ends: its trace first, then the error. Denials are decisions too.
import type { SQL } from "drizzle-orm";
import type { Call, Standing } from "./actor.ts";
import { audit } from "./audit.ts";
import { batch } from "./db/client.ts";
import { ApiError } from "./errors.ts";
import { UUID } from "./ids.ts";
import { type Action, auditAction } from "./roles.ts";

type Refused = {
  role?: Standing["role"] | "device";
  hospitalId?: string | null;
  /** Where the caller works. */
  from?: string | null;
  target?: Record<string, string>;
  patientId?: string | null;
  /** The refusal is recorded only if this holds. */
  when?: SQL;
};

/** Ids of ours. A path may hold a name or a phone number instead, and those stay out of the trail. */
const ours = (id: string) => UUID.test(id) || /^[1-9][0-9]{0,8}$/.test(id);

/** Records a refusal, then throws it: denials are decisions too. @throws ApiError always */
export async function refuse(
  call: Call,
  action: Action,
  error: "unauthenticated" | "forbidden" | "not_found",
  facts: Refused = {},
): Promise<never> {
  const [type, id] = Object.entries(facts.target ?? {})[0] ?? [];
  await batch(
    call.db,
    audit(call.db, call.actor, call.now, {
      event: "access.denied",
      action: auditAction(action),
      outcome: "denied",
      reason: error,
      detail: { action },
      ...(facts.role && { role: facts.role }),
      hospitalId: facts.hospitalId ?? null,
      actorHospitalId: facts.from ?? null,
      ...(type && id && ours(id) && { entity: { type, id } }),
      subjects: facts.patientId ? [facts.patientId] : [],
      ...(facts.when && { when: facts.when }),
    }),
  );
  throw new ApiError(error);
}
