// Rows of guardianships: which are in force, for which records a login decides by them, and how the API shows them.
import { type SQL, sql } from "drizzle-orm";
import { unsealProfile } from "../access/profile.ts";
import { displayName, unsealIdentity } from "../patients/identity/sealed-fields.ts";
import type { Keys } from "../platform/config.ts";
import { sealValue, unsealValue } from "../platform/crypto.ts";
import type { guardianships } from "../platform/db/schema.ts";
import { nullIfCorrupt } from "../platform/sealed-documents.ts";
import { toIso, toIsoOrNull } from "../platform/time.ts";

export type GuardianshipRow = typeof guardianships.$inferSelect & {
  hospitalId: string;
  hospitalName: string;
  guardianProfile: string;
  /** 1 while the record is linked to the guardian's login too. */
  isLinked: number;
  /** The record's sealed identity, and the version that it is bound to. */
  identitySealed: string;
  version: number;
};

/** How the caller stands to a guardianship. */
export type Caller = "staff" | "guardian" | "person";

/** Columns of `guardianships g`. */
const GUARDIANSHIP_COLUMNS = sql`g.id AS id, g.patient_id AS patientId, g.guardian_id AS guardianId, g.relationship AS relationship,
  g.reason_sealed AS reasonSealed, g.valid_until AS validUntil, g.recorded_by AS recordedBy, g.recorded_at AS recordedAt,
  g.confirmed_by AS confirmedBy, g.confirmed_at AS confirmedAt, g.ended_by AS endedBy, g.ended_at AS endedAt,
  g.ground AS ground, g.end_reason_sealed AS endReasonSealed, h.id AS hospitalId, h.name AS hospitalName,
  EXISTS (SELECT 1 FROM patient_links gl WHERE gl.user_id = g.guardian_id AND gl.patient_id = g.patient_id) AS isLinked,
  u.profile_sealed AS guardianProfile, p.identity_sealed AS identitySealed, p.version AS version`;

/** Rows `g` with their record, its hospital and the guardian. @param condition on `g`, `p`, `h` and `u` */
export const selectGuardianships = (condition: SQL): SQL => sql`SELECT ${GUARDIANSHIP_COLUMNS} FROM guardianships g
  JOIN patients p ON p.id = g.patient_id JOIN hospitals h ON h.id = p.hospital_id JOIN users u ON u.id = g.guardian_id
  WHERE ${condition}`;

/** Rows `g` over the person of a login: of a record that is linked to it. */
export const isOverLogin = (userId: string): SQL =>
  sql`g.patient_id IN (SELECT l.patient_id FROM patient_links l WHERE l.user_id = ${userId})`;

type Reason = "reason" | "end_reason";
const reasonContext = (id: string, column: Reason) => ({ table: "guardianships", column, id });
export const sealGuardianReason = (keys: Keys, id: string, reason: string, column: Reason = "reason"): Promise<string> =>
  sealValue(keys.fields, reasonContext(id, column), reason);

/** @param sealed null where there is none, or for staff alone */
const unsealReason = async (keys: Keys, id: string, sealed: string | null, column: Reason) =>
  sealed === null ? null : String(await unsealValue(keys.fields, reasonContext(id, column), sealed));

export const identityOf = (keys: Keys, { patientId: id, version, identitySealed: identity_sealed }: GuardianshipRow) =>
  unsealIdentity(keys, { id, version, identity_sealed });

function stateOf(row: GuardianshipRow, now: number) {
  if (row.endedAt !== null) return row.endedBy === null ? ("expired" as const) : ("ended" as const);
  if (row.validUntil <= now) return "expired" as const;
  return row.confirmedAt === null ? ("recorded" as const) : ("active" as const);
}

/** Reasons are for staff of the hospital alone; the name of the person is for the guardian while they decide. */
export async function toGuardianship(keys: Keys, row: GuardianshipRow, now: number, caller: Caller) {
  const { id, guardianId, reasonSealed, endReasonSealed } = row;
  const state = stateOf(row, now);
  const isStaff = caller === "staff";
  const [guardian, person, reason, endReason] = await Promise.all([
    unsealProfile(keys, { id: guardianId, profileSealed: row.guardianProfile }),
    caller === "guardian" && state === "active" ? nullIfCorrupt(identityOf(keys, row)) : null,
    unsealReason(keys, id, isStaff ? reasonSealed : null, "reason"),
    unsealReason(keys, id, isStaff ? endReasonSealed : null, "end_reason"),
  ]);
  return {
    guardianship_id: id,
    state,
    caller,
    patient_id: row.patientId,
    patient_name: person && displayName(person),
    hospital_id: row.hospitalId,
    hospital_name: row.hospitalName,
    guardian_id: guardianId,
    guardian_name: guardian.full_name,
    is_guardian_linked: row.isLinked === 1,
    relationship: row.relationship,
    ground: row.ground,
    reason,
    until: toIso(row.validUntil),
    recorded_by: row.recordedBy,
    recorded_at: toIso(row.recordedAt),
    confirmed_by: row.confirmedBy,
    confirmed_at: toIsoOrNull(row.confirmedAt),
    ended_by: row.endedBy,
    ended_at: toIsoOrNull(row.endedAt),
    end_reason: endReason,
  };
}
