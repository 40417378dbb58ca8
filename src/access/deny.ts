// How a refusal ends: its trace first, then the error. Denials are decisions too.
import type { SQL } from "drizzle-orm";
import { batch } from "../platform/db/client.ts";
import { ApiError } from "../platform/errors.ts";
import { UUID_PATTERN } from "../platform/ids.ts";
import type { Call, EffectiveRole, UserEffectiveRole } from "./actor.ts";
import { type AuditEvent, recordAuditEvent } from "./audit.ts";
import { auditAction, type Permission } from "./permissions.ts";

type DenialFacts = {
  role?: EffectiveRole["role"] | "device";
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
export type Denial = { error: "forbidden" | "not_found"; facts: DenialFacts } | ApiError;

/** Ids of ours. A path may hold a name or a phone number instead, and those stay out of the trail. */
const isOwnIdFormat = (id: string) => UUID_PATTERN.test(id) || /^[1-9][0-9]{0,8}$/.test(id);

/** Records a refusal, then throws it: denials are decisions too. @throws ApiError always */
export async function denyAccess(
  call: Call,
  action: Permission,
  error: "unauthenticated" | "forbidden" | "not_found",
  facts: DenialFacts = {},
): Promise<never> {
  const [type, id] = Object.entries(facts.target ?? {})[0] ?? [];
  await batch(
    call.db,
    recordAuditEvent(call.db, call.actor, call.now, {
      event: "access.denied",
      action: auditAction(action),
      outcome: "denied",
      reason: error,
      detail: { action },
      ...(facts.role && { role: facts.role }),
      hospitalId: facts.hospitalId ?? null,
      actorHospitalId: facts.from ?? null,
      ...(type && id && isOwnIdFormat(id) && { entity: { type, id } }),
      subjects: facts.patientId ? [facts.patientId] : [],
      ...(facts.when && { when: facts.when }),
    }),
  );
  call.debug?.("access refused", { action, reason: error, ...(facts.role && { role: facts.role }) });
  const errors = (facts.fields ?? []).map((path) => ({ path, message: "Not yours to change", code: "forbidden" }));
  throw new ApiError(error, errors.length > 0 ? "Some fields are not yours to change; see errors." : undefined, { errors });
}

/** The caller has to say something that others need not. */
export const requiredFieldError = (field: string) =>
  new ApiError("invalid_request", `Name ${field}.`, { errors: [{ path: field, message: "Required", code: "required" }] });

type StateFailure = "precondition_failed" | "conflict" | "password_given" | "registration_refused";

/** As `refuse`, where the caller may but the state does not allow it. @param event what would have been @throws ApiError always */
export async function failWithAudit(call: Call, error: StateFailure, event: AuditEvent): Promise<never> {
  await batch(call.db, recordAuditEvent(call.db, call.actor, call.now, { ...event, outcome: "failed", reason: error }));
  throw new ApiError(error);
}

/** A record that the caller may not see: recorded, then answered as if it were absent. @throws ApiError always */
export function denyNotFound(
  call: Call,
  permission: Permission,
  { role, hospitalId }: UserEffectiveRole,
  target: Record<string, string>,
): Promise<never> {
  return denyAccess(call, permission, "not_found", { role, hospitalId, target });
}
