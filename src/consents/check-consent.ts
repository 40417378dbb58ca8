// What consents allow now, and why not more: for staff about one record, for a person about all that their hospitals may read.
import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../access/actor.ts";
import { appendAuditEvent } from "../access/audit.ts";
import { type ConsentKind, isForReader } from "../access/consented.ts";
import { requiredFieldError } from "../access/deny.ts";
import { countedVisibility } from "../access/visibility.ts";
import { toIso } from "../platform/time.ts";
import { CONSENT_COLUMNS, type ConsentRow, toScope } from "./consent-rows.ts";
import { selectConsentsOf } from "./persons.ts";
import { stateAt } from "./states.ts";

/** Consents that one check considers: those that hold first, then the newest. */
const MAX_CONSENTS = 200;

export const CHECK_REASONS = [
  "date",
  "kind",
  "not_fulfilled",
  "restricted",
  "not_in_care",
  "requested",
  "expired",
  "revoked",
  "denied",
  "none",
] as const;
type CheckReason = (typeof CHECK_REASONS)[number];

/** `patientId`: null for a person's own records together. `at`: the time that the data is from, Unix ms. */
export type ConsentCheck = { patientId: string | null; kind: ConsentKind | null; at: number | null };

/**
 * `isOpen`: the caller may use the consent; staff who do not see the hospital's own record may not. `isRestricted`: no record can be
 * read by it, because the own record or those that it shares are restricted or erased. `isFulfilled`: it opens data.
 */
type CheckedRow = ConsentRow & { isOpen: number; isRestricted: number; isFulfilled: number };

/** @param patientId the record that is asked about; of another than the hospital's own, this one alone counts */
const isRestricted = (patientId: string | null): SQL => sql`NOT EXISTS (SELECT 1 FROM consent_records r
  JOIN patients held ON held.id = r.patient_id AND held.restricted_at IS NULL
  JOIN patients own ON own.id = c.patient_id AND own.restricted_at IS NULL
  WHERE r.consent_id = c.id AND ${patientId === null ? sql`1` : sql`${patientId} IN (c.patient_id, r.patient_id)`})`;

const IS_FULFILLED = sql`(c.documents_only = 0 OR EXISTS (SELECT 1 FROM consent_documents d WHERE d.consent_id = c.id))`;

/** `+`: by the ids of one record, not through all of the hospital. */
function selectConsents(effectiveRole: UserEffectiveRole, { actor, now }: UserCall, patientId: string | null): SQL {
  const { role, hospitalId } = effectiveRole;
  const isPerson = role === "patient";
  const isOpen = isPerson ? sql`1` : countedVisibility(effectiveRole, actor, sql`c.patient_id`, sql`c.hospital_id`);
  const isVisible = isPerson
    ? sql`c.id IN (${selectConsentsOf(actor.userId, now)})`
    : sql`+c.hospital_id = ${hospitalId ?? ""} AND ${isForReader(sql`${actor.userId}`)}`;
  const isAbout =
    patientId === null
      ? sql`1`
      : sql`c.id IN (SELECT id FROM consents WHERE patient_id = ${patientId}
          UNION ALL SELECT consent_id FROM consent_records WHERE patient_id = ${patientId})`;
  return sql`SELECT ${CONSENT_COLUMNS}, ${isOpen} AS isOpen, ${isRestricted(patientId)} AS isRestricted,
      ${IS_FULFILLED} AS isFulfilled FROM consents c WHERE ${isVisible} AND ${isAbout}
    ORDER BY c.status = 'granted' AND c.expires_at > ${now} DESC, c.created_at DESC LIMIT ${MAX_CONSENTS}`;
}

/** Null: the consent allows it. */
function findReason(row: CheckedRow, { kind, at }: ConsentCheck, now: number): CheckReason | null {
  const state = stateAt(row, now);
  if (!row.isOpen) return state === "granted" ? "not_in_care" : "none";
  if (state !== "granted") return state;
  if (row.isRestricted) return "restricted";
  const { kinds, dataFrom, dataUntil } = toScope(row);
  if (kind !== null && !kinds.includes(kind)) return "kind";
  if (at !== null && (at < dataFrom || at > dataUntil)) return "date";
  return row.isFulfilled ? null : "not_fulfilled";
}

const toGrant = (row: ConsentRow) => ({
  consent_id: row.id,
  hospital_id: row.hospitalId,
  practitioner_id: row.practitionerId,
  purpose: row.purpose,
  kinds: [...toScope(row).kinds],
  data_from: toIso(row.dataFrom),
  data_until: toIso(row.dataUntil),
  expires_at: toIso(row.expiresAt),
});

/** A record that the caller knows nothing of gets the same answer as one without a consent. */
export async function checkConsent(anyCall: Call, check: ConsentCheck) {
  const { call, effectiveRole, results } = await withUser(anyCall, "consent:read", (role, call) => [
    call.db.all<CheckedRow>(selectConsents(role, call, check.patientId)),
  ]);
  if (check.patientId === null && effectiveRole.role !== "patient") throw requiredFieldError("patient_id");
  const { now } = call;
  const found = results[0].map((row) => ({ row, reason: findReason(row, check, now) }));
  const grants = found.filter(({ reason }) => reason === null).map(({ row }) => row);
  const reason = grants.length > 0 ? null : (CHECK_REASONS.find((one) => found.some((of) => of.reason === one)) ?? "none");
  const { role, hospitalId } = effectiveRole;
  await appendAuditEvent(call, {
    event: "consent.check",
    action: "R",
    role,
    hospitalId,
    ...(role === "patient" && { basis: "self" }),
    subjects: [...new Set(found.flatMap(({ row }) => (row.isOpen ? [row.patientId] : [])))],
    detail: { count: grants.length, ...(reason && { reason }) },
  });
  return { checked_at: toIso(now), allowed: grants.length > 0, reason, grants: grants.map(toGrant) };
}
