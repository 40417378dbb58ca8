// Access denials and failed preconditions: records the audit event, then throws the error.
import type { SQL } from "drizzle-orm";
import { batch } from "../platform/db/client.ts";
import { ApiError, LostRace } from "../platform/errors.ts";
import { UUID_PATTERN } from "../platform/ids.ts";
import type { Call, EffectiveRole, UserEffectiveRole } from "./actor.ts";
import { type AuditEvent, recordAuditEvent } from "./audit.ts";
import { auditAction } from "./audit-actions.ts";
import { forgetSession } from "./known-sessions.ts";
import { type Permission, stepUpOf } from "./permissions.ts";

type DenialFacts = {
  role?: EffectiveRole["role"] | "device";
  hospitalId?: string | null;
  /** The hospital the caller acts for. */
  callerHospitalId?: string | null;
  target?: Record<string, string>;
  patientId?: string | null;
  /** The denial is recorded only if this holds. */
  when?: SQL;
  /** Body fields that caused the denial; listed in the 403. */
  fields?: readonly string[];
};

/** A denial to be recorded and thrown; an ApiError is thrown without an audit event. */
export type Denial = { error: "forbidden" | "not_found"; facts: DenialFacts } | ApiError;

/** True for ids of the service. A path may hold a name or a phone number instead, which must not enter the audit log. */
const isOwnIdFormat = (id: string) => UUID_PATTERN.test(id) || /^[1-9][0-9]{0,8}$/.test(id);

/** Records the denial, then throws it. @throws ApiError always */
export async function denyAccess(
  call: Call,
  action: Permission,
  error: "unauthenticated" | "forbidden" | "not_found" | "enrolment_required" | "step_up_required",
  facts: DenialFacts = {},
): Promise<never> {
  if (error === "unauthenticated" && call.actor.kind === "user") forgetSession(call.actor.sessionId);
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
      actorHospitalId: facts.callerHospitalId ?? null,
      ...(type && id && isOwnIdFormat(id) && { entity: { type, id } }),
      subjects: facts.patientId ? [facts.patientId] : [],
      ...(facts.when && { when: facts.when }),
    }),
  );
  call.debug?.("access denied", { action, reason: error, ...(facts.role && { role: facts.role }) });
  const errors = (facts.fields ?? []).map((path) => ({
    path,
    message: "Insufficient permissions to change this field",
    code: "forbidden",
  }));
  throw new ApiError(error, errors.length > 0 ? "Insufficient permissions to change some fields; see errors." : undefined, {
    errors,
    ...(error === "step_up_required" && { members: { step_up: stepUpOf(action) } }),
  });
}

/** The error for a field that is required from this caller only. */
export const requiredFieldError = (field: string) =>
  new ApiError("invalid_request", `${field} is required.`, { errors: [{ path: field, message: "Required", code: "required" }] });

type StateFailure =
  | "precondition_failed"
  | "conflict"
  | "limit_reached"
  | "recipient_unavailable"
  | "recipient_ambiguous"
  | "hospital_decides"
  | "asked_too_often"
  | "password_given"
  | "registration_refused"
  | "claim_proof_missing"
  | "code_invalid"
  | "report_moved"
  | "slot_taken"
  | "not_bookable"
  | "illegal_transition"
  | "unsupported_document";

/**
 * Records and throws a failure of an allowed operation. @param event the event of the operation  @param detail for the caller
 * @param extra headers and further members of the problem
 * @throws ApiError always; LostRace, with nothing recorded, where the operation runs again
 */
export async function failWithAudit(
  call: Call,
  error: StateFailure,
  event: AuditEvent,
  detail?: string,
  extra: { headers?: Record<string, string>; members?: Record<string, unknown> } = {},
): Promise<never> {
  if (error === "precondition_failed" && call.repeatsLostRaces) throw new LostRace();
  await batch(call.db, recordAuditEvent(call.db, call.actor, call.now, { ...event, outcome: "failed", reason: error }));
  throw new ApiError(error, detail, extra);
}

/** Records access to a record that the caller may not see, then throws not_found. @throws ApiError always */
export function denyNotFound(
  call: Call,
  permission: Permission,
  { role, hospitalId }: UserEffectiveRole,
  target: Record<string, string>,
): Promise<never> {
  return denyAccess(call, permission, "not_found", { role, hospitalId, target });
}
