// Access check for a live view of named patients or a hospital; the audit event commits with the decision.
import { type SQL, sql } from "drizzle-orm";
import { withWriter } from "../../access/access.ts";
import type { Call, EffectiveRole, PrincipalCall } from "../../access/actor.ts";
import { type AuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { groundFields } from "../../access/consented.ts";
import { credentialExpiry } from "../../access/credentials.ts";
import { denyAccess } from "../../access/deny.ts";
import { patientVisibility } from "../../access/visibility.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { groundOf, monitoredPatients, type NamedPatientRow, namedPatients, type RequestedPatients } from "./visibility.ts";

/** Limit per view. */
export const MAX_NAMED_PATIENTS = 100;
const MAX_SHOWN_PATIENTS = 1_000;

/** Named patients, or a hospital; null is the caller's own hospital. */
export type RequestedView = { patientIds: RequestedPatients; hospitalId: string | null };
export type OpenedView = {
  call: PrincipalCall;
  effectiveRole: EffectiveRole;
  hospitalId: string;
  requested: RequestedPatients;
  /** Whether an emergency access shows the one patient. */
  isInEmergency: boolean;
  /** When an app's key expires, epoch milliseconds; null if it does not, and for a user, whose token expires. */
  keyExpiresAt: number | null;
};

type AuthorizedCaller = {
  effectiveRole: EffectiveRole;
  call: PrincipalCall;
  check: Statement[];
  event: "live.ticket" | "live.open";
};
type Row = { id: string; hospital_id: string };

/**
 * @throws ApiError unauthenticated, forbidden, not_found (no access to the patient or hospital),
 * patient_ambiguous, invalid_request (patients of several hospitals, too many)
 */
export function openView(anyCall: Call, requestedView: RequestedView, event: AuthorizedCaller["event"]): Promise<OpenedView> {
  return withWriter(
    anyCall,
    "live:read",
    () => null,
    (effectiveRole, call, check) => {
      const caller = { effectiveRole, call, check, event };
      if (requestedView.patientIds) return openNamedPatients(caller, [...new Set(requestedView.patientIds)]);
      if (effectiveRole.role === "patient") return openOwnRecords(caller, requestedView.hospitalId);
      return openHospitalView(caller, requestedView.hospitalId ?? effectiveRole.hospitalId);
    },
  );
}

async function openNamedPatients(caller: AuthorizedCaller, patientIds: readonly string[]): Promise<OpenedView> {
  const { effectiveRole, call } = caller;
  const visible = namedPatients(effectiveRole, call.actor, patientIds, call.now);
  const rows = await call.db.all<NamedPatientRow>(visible);
  const grounds = new Map(rows.map((row) => [row.id, groundOf(row)]));
  const missing = patientIds.find((id) => !grounds.has(id));
  const [hospitalId, other] = new Set(rows.map((row) => row.hospital_id));
  if (missing !== undefined || hospitalId === undefined) return denyView(caller, { patient: missing ?? "own" });
  if (other !== undefined)
    return failAfterCheck(caller, new ApiError("invalid_request", "All patients must belong to one hospital."));
  const isStillVisible = sql`(SELECT count(*) FROM (${visible}) WHERE hospital_id = ${hospitalId}) = ${patientIds.length}`;
  // One event per consent or emergency access, which it names.
  const events = [...Map.groupBy(patientIds, (id) => grounds.get(id) ?? null)].map(([ground, subjects]) => ({
    subjects,
    detail: { patients: subjects.length },
    ...groundFields(ground, effectiveRole.hospitalId),
  }));
  const decision = await commitDecision(caller, hospitalId, isStillVisible, events);
  if (!decision) return denyView(caller, { patient: patientIds[0] ?? "own" });
  const isInEmergency = events.some(({ basis }) => basis === "emergency");
  return { call, effectiveRole, hospitalId, requested: patientIds, isInEmergency, ...decision };
}

/** A patient's own records, which must all belong to one hospital. */
async function openOwnRecords(caller: AuthorizedCaller, hospitalId: string | null): Promise<OpenedView> {
  const { effectiveRole, call } = caller;
  const ownRecords = patientVisibility(effectiveRole, call.actor, sql`p.id`, sql`p.hospital_id`);
  const inHospital = hospitalId === null ? sql`1` : sql`p.hospital_id = ${hospitalId}`;
  const rows = await call.db.all<Row>(sql`SELECT p.id AS id, p.hospital_id AS hospital_id FROM patients p
    WHERE ${ownRecords} AND ${inHospital} LIMIT ${MAX_NAMED_PATIENTS}`);
  if (new Set(rows.map((row) => row.hospital_id)).size > 1) return failAfterCheck(caller, new ApiError("patient_ambiguous"));
  const ids = rows.map(({ id }) => id);
  return openNamedPatients(caller, ids);
}

async function openHospitalView(caller: AuthorizedCaller, hospitalId: string | null): Promise<OpenedView> {
  const { effectiveRole, call } = caller;
  if (hospitalId === null)
    return failAfterCheck(caller, new ApiError("invalid_request", "hospital_id or patient_ids is required."));
  if (effectiveRole.role !== "admin" && hospitalId !== effectiveRole.hospitalId)
    return denyView(caller, { hospital: hospitalId });
  const hospitalExists = sql`EXISTS (SELECT 1 FROM hospitals WHERE id = ${hospitalId})`;
  const monitored = monitoredPatients(effectiveRole, call.actor, hospitalId);
  const [counted] = await call.db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (${monitored})`);
  const patients = counted?.n ?? 0;
  if (patients > MAX_SHOWN_PATIENTS) {
    return failAfterCheck(
      caller,
      new ApiError("invalid_request", `More than ${MAX_SHOWN_PATIENTS} patients are monitored; use patient_ids.`),
    );
  }
  const decision = await commitDecision(caller, hospitalId, hospitalExists, [{ detail: { patients, whole_hospital: true } }]);
  if (!decision) return denyView(caller, { hospital: hospitalId });
  return { call, effectiveRole, hospitalId, requested: null, isInEmergency: false, ...decision };
}

/** Commits the decision and its audit events in one batch with the caller's check. @returns null if access is not granted */
async function commitDecision(
  caller: AuthorizedCaller,
  hospitalId: string,
  isAllowed: SQL,
  events: readonly Partial<AuditEvent>[],
): Promise<Pick<OpenedView, "keyExpiresAt"> | null> {
  const { effectiveRole, call, check, event } = caller;
  const { db, actor, now } = call;
  const { role } = effectiveRole;
  const fields = { event, action: "R", role, hospitalId, actorHospitalId: effectiveRole.hospitalId, when: isAllowed } as const;
  const auditStatements = events.flatMap((of) => recordAuditEvent(db, actor, now, { ...of, ...fields }));
  const expiry = actor.kind === "app" ? credentialExpiry(actor) : sql`NULL`;
  const [[decision]] = await batch(db, [
    db.all<{ allowed: number; expires: number | null }>(sql`SELECT ${isAllowed} AS allowed, ${expiry} AS expires`),
    ...check,
    ...auditStatements,
  ]);
  return decision?.allowed === 1 ? { keyExpiresAt: decision.expires } : null;
}

/** Runs the caller's check first, so that a revoked caller gets 401 instead of 404. */
async function denyView(caller: AuthorizedCaller, target: Record<string, string>): Promise<never> {
  const { effectiveRole, call, check } = caller;
  await batch(call.db, check);
  return denyAccess(call, "live:read", "not_found", {
    role: effectiveRole.role,
    hospitalId: effectiveRole.hospitalId,
    target,
  });
}

async function failAfterCheck(caller: AuthorizedCaller, error: ApiError): Promise<never> {
  await batch(caller.call.db, caller.check);
  throw error;
}
