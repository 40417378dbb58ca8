// A hospital's rules of appointments.
import { sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserEffectiveRole } from "../../access/actor.ts";
import { appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyNotFound, failWithAudit } from "../../access/deny.ts";
import { isInCallerHospital, isVisibleHospital } from "../../access/effective-role.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import { batch } from "../../platform/db/client.ts";
import type { careSettings } from "../../platform/db/schema.ts";

type SettingsRow = typeof careSettings.$inferSelect;
type FoundRow = Partial<Record<keyof SettingsRow, number | string | null>> & { id: string };

/** As the columns of the table have them. Version 0: nobody has set any. */
export const CARE_DEFAULTS = {
  self_booking: "request" as SettingsRow["selfBooking"],
  lead_minutes: 60,
  window_days: 60,
  cancel_until_minutes: 120,
  max_open_own: 5,
  proposal_minutes: 1_440,
  offer_minutes: 30,
  noshow_after_minutes: 30 as number | null,
};
export type CareSettings = typeof CARE_DEFAULTS;

const COLUMNS = sql`h.id AS id, s.self_booking AS selfBooking, s.lead_minutes AS leadMinutes, s.window_days AS windowDays,
  s.cancel_until_minutes AS cancelUntilMinutes, s.max_open_own AS maxOpenOwn, s.proposal_minutes AS proposalMinutes,
  s.offer_minutes AS offerMinutes, s.noshow_after_minutes AS noshowAfterMinutes, s.version AS version`;

function toSettings(row: FoundRow) {
  if (row.version === null || row.version === undefined) return { hospital_id: row.id, ...CARE_DEFAULTS, version: 0 };
  return {
    hospital_id: row.id,
    self_booking: row.selfBooking as SettingsRow["selfBooking"],
    lead_minutes: Number(row.leadMinutes),
    window_days: Number(row.windowDays),
    cancel_until_minutes: Number(row.cancelUntilMinutes),
    max_open_own: Number(row.maxOpenOwn),
    proposal_minutes: Number(row.proposalMinutes),
    offer_minutes: Number(row.offerMinutes),
    noshow_after_minutes: row.noshowAfterMinutes === null ? null : Number(row.noshowAfterMinutes),
    version: Number(row.version),
  };
}

async function requireSettings(anyCall: Call, hospitalId: string, permission: "care_settings:read" | "care_settings:manage") {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, { db, actor }) => {
    const id = sql`h.id`;
    const isVisible =
      permission === "care_settings:read" ? isVisibleHospital(effectiveRole, actor, id) : isInCallerHospital(effectiveRole, id);
    return [
      db.all<FoundRow>(sql`SELECT ${COLUMNS} FROM hospitals h LEFT JOIN care_settings s ON s.hospital_id = h.id
        WHERE h.id = ${hospitalId} AND ${isVisible}`),
    ];
  });
  const [row] = results[0];
  if (!row) return denyNotFound(call, permission, effectiveRole, { hospital: hospitalId });
  return { call, effectiveRole, settings: toSettings(row) };
}

const settingsEvent = (
  { role }: UserEffectiveRole,
  hospitalId: string,
  event: "care_settings.read" | "care_settings.update",
) => ({
  ...{ event, action: event === "care_settings.read" ? ("R" as const) : ("U" as const), role, hospitalId },
  entity: { type: "hospital", id: hospitalId },
});

/** @throws ApiError not_found */
export async function getCareSettings(anyCall: Call, hospitalId: string) {
  const { call, effectiveRole, settings } = await requireSettings(anyCall, hospitalId, "care_settings:read");
  await appendAuditEvent(call, settingsEvent(effectiveRole, hospitalId, "care_settings.read"));
  return settings;
}

/** Replaces the rules. @param expected null where none were set before  @throws ApiError not_found, precondition_failed */
export async function putCareSettings(anyCall: Call, hospitalId: string, expected: ExpectedVersion | null, input: CareSettings) {
  const { call, effectiveRole, settings } = await requireSettings(anyCall, hospitalId, "care_settings:manage");
  const { db, actor, now } = call;
  const event = settingsEvent(effectiveRole, hospitalId, "care_settings.update");
  const { version } = settings;
  const isExpected =
    version === 0 ? expected === null || expected === "*" : expected !== null && version === matchVersion(expected, version);
  if (!isExpected) return failWithAudit(call, "precondition_failed", event);
  const [written] = await batch(db, [
    db.all(sql`INSERT INTO care_settings (hospital_id, self_booking, lead_minutes, window_days, cancel_until_minutes, max_open_own,
        proposal_minutes, offer_minutes, noshow_after_minutes, updated_by, updated_at)
      VALUES (${hospitalId}, ${input.self_booking}, CAST(${input.lead_minutes} AS INTEGER), CAST(${input.window_days} AS INTEGER),
        CAST(${input.cancel_until_minutes} AS INTEGER), CAST(${input.max_open_own} AS INTEGER),
        CAST(${input.proposal_minutes} AS INTEGER), CAST(${input.offer_minutes} AS INTEGER),
        CAST(${input.noshow_after_minutes} AS INTEGER), ${actor.userId}, CAST(${now} AS INTEGER))
      ON CONFLICT (hospital_id) DO UPDATE SET self_booking = excluded.self_booking, lead_minutes = excluded.lead_minutes,
        window_days = excluded.window_days, cancel_until_minutes = excluded.cancel_until_minutes,
        max_open_own = excluded.max_open_own, proposal_minutes = excluded.proposal_minutes, offer_minutes = excluded.offer_minutes,
        noshow_after_minutes = excluded.noshow_after_minutes, updated_by = excluded.updated_by, updated_at = excluded.updated_at,
        version = care_settings.version + 1 WHERE care_settings.version = ${version} RETURNING 1`),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
  if (written.length === 0) return failWithAudit(call, "precondition_failed", event);
  return { hospital_id: hospitalId, ...input, version: version + 1 };
}
