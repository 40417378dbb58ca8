// How a refusal ends: its trace first, then the error. Denials are decisions too.
import type { SQL } from "drizzle-orm";
import { batch } from "../platform/db/client.ts";
import { ApiError } from "../platform/errors.ts";
import { UUID } from "../platform/ids.ts";
import type { Call, Standing } from "./actor.ts";
import { type AuditEvent, audit } from "./audit.ts";
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
  /** Fields of the body that are the reason: a 403 names them. */
  fields?: readonly string[];
};

/** Why somebody may not, before it is recorded and thrown; an error as it stands is thrown without a trace. */
export type Refusal = { error: "forbidden" | "not_found"; facts: Refused } | ApiError;

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
  call.debug?.("access refused", { action, reason: error, ...(facts.role && { role: facts.role }) });
  const errors = (facts.fields ?? []).map((path) => ({ path, message: "Not yours to change", code: "forbidden" }));
  throw new ApiError(error, errors.length > 0 ? "Some fields are not yours to change; see errors." : undefined, { errors });
}

/** The caller has to say something that others need not. */
export const missing = (field: string) =>
  new ApiError("invalid_request", `Name ${field}.`, { errors: [{ path: field, message: "Required", code: "required" }] });

type Failure = "precondition_failed" | "conflict" | "password_given" | "registration_refused";

/** As `refuse`, where the caller may but the state does not allow it. @param event what would have been @throws ApiError always */
export async function fail(call: Call, error: Failure, event: AuditEvent): Promise<never> {
  await batch(call.db, audit(call.db, call.actor, call.now, { ...event, outcome: "failed", reason: error }));
  throw new ApiError(error);
}
