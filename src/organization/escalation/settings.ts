// Escalation settings of hospitals and wards: minutes to escalation and repeat, and who is told in each tier.
import { and, eq, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import { type Call, type DoctorScope, getActorId } from "../../access/actor.ts";
import { type AuditAction, type AuditEvent, afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import { isInCallerHospital } from "../../access/effective-role.ts";
import type { Permission } from "../../access/permissions.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import { type EscalationSettings, toReminders } from "../../monitoring/alarm-rules/escalation.ts";
import { escalationSettingsOf } from "../../monitoring/alarm-rules/stored.ts";
import { DEFAULT_TIERS } from "../../notifications/alarms.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { escalationSettings } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { toIsoOrNull } from "../../platform/time.ts";
import { STAFF_COLUMNS, type StaffRow, toNamedPerson } from "./alarm-scope.ts";
import { assertMembers, type NamedMember } from "./members.ts";

export type Scope = { kind: "hospital" | "ward"; id: string };
type Place = { hospitalId: string; doctorScope: DoctorScope };
type Row = typeof escalationSettings.$inferSelect;
type Layer = "default" | "hospital" | "ward";

/** What the answer to a caller is made of: the rows of the scope and of the ward's hospital, and the people whom they name. */
function selectSettings(db: Db, { kind, id }: Scope) {
  const hospital = kind === "hospital" ? sql`${id}` : sql`(SELECT hospital_id FROM wards WHERE id = ${id})`;
  const isInForce = sql`scope_id IN (${id}, ${hospital})`;
  return [
    db.select().from(escalationSettings).where(isInForce),
    db.all<StaffRow>(sql`SELECT ${STAFF_COLUMNS} FROM (SELECT DISTINCT e.value->>'user_id' AS id
        FROM escalation_settings s, json_each(s.settings, '$.tiers') t, json_each(t.value) e WHERE ${isInForce}) n
      JOIN users u ON u.id = n.id LEFT JOIN memberships m ON m.user_id = u.id AND m.hospital_id = ${hospital} ORDER BY u.id`),
  ] as const;
}

async function toView(
  { keys }: Pick<Call, "keys">,
  scope: Scope,
  place: Place,
  rows: readonly Row[],
  people: readonly StaffRow[],
) {
  const find = (kind: Scope["kind"]) => rows.find((row) => row.scope === kind);
  const own = rows.find(({ scopeId }) => scopeId === scope.id);
  const hospital = escalationSettingsOf(find("hospital")?.settings ?? null);
  const ward = escalationSettingsOf(find("ward")?.settings ?? null);
  const layerOf = (part: keyof EscalationSettings): Layer => (ward?.[part] ? "ward" : hospital?.[part] ? "hospital" : "default");
  const { escalation, repeat_minutes } = toReminders(hospital, ward);
  return {
    hospital_id: place.hospitalId,
    ward_id: scope.kind === "ward" ? scope.id : null,
    own: escalationSettingsOf(own?.settings ?? null),
    in_force: {
      escalation_minutes: { high: [...escalation.high], medium: [...escalation.medium], low: [...escalation.low] },
      repeat_minutes: { ...repeat_minutes },
      tiers: (ward?.tiers ?? hospital?.tiers ?? DEFAULT_TIERS).map((tier) => [...tier]),
    },
    from: {
      escalation_minutes: layerOf("escalation_minutes"),
      repeat_minutes: layerOf("repeat_minutes"),
      tiers: layerOf("tiers"),
    },
    doctors_alarm_scope: place.doctorScope === "hospital" ? ("every_patient" as const) : ("care_team_patients" as const),
    people: await Promise.all(people.map((person) => toNamedPerson(keys, person, place.doctorScope))),
    version: own?.version ?? null,
    updated_by: own?.updatedBy ?? null,
    updated_at: toIsoOrNull(own?.updatedAt ?? null),
  };
}

/** @throws ApiError not_found (audited) */
async function load(anyCall: Call, scope: Scope, permission: Permission, event: { name: string; action: AuditAction }) {
  const { kind, id } = scope;
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, { db }) => {
    const isVisible = isInCallerHospital(effectiveRole, sql`h.id`);
    const place = kind === "hospital" ? sql`h.id = ${id}` : sql`h.id = (SELECT hospital_id FROM wards WHERE id = ${id})`;
    return [
      db.all<Place>(
        sql`SELECT h.id AS hospitalId, h.doctor_scope AS doctorScope FROM hospitals h WHERE ${place} AND ${isVisible}`,
      ),
      ...selectSettings(db, scope),
    ];
  });
  const [[place], rows, people] = results;
  const { role, hospitalId } = effectiveRole;
  if (!place) return denyAccess(call, permission, "not_found", { role, hospitalId, target: { [kind]: id } });
  const entity = { type: kind, id };
  const audited: AuditEvent = { event: event.name, action: event.action, role, hospitalId: place.hospitalId, entity };
  return { call, place, rows, people, own: rows.find(({ scopeId }) => scopeId === id), event: audited };
}

/** The settings in force, with the layer of each part. @throws ApiError not_found */
export async function getEscalation(anyCall: Call, scope: Scope) {
  const { call, place, rows, people, event } = await load(anyCall, scope, "escalation:read", {
    name: "escalation.read",
    action: "R",
  });
  return afterAudit(appendAuditEvent(call, event), toView(call, scope, place, rows, people));
}

const membersOf = ({ tiers = [] }: EscalationSettings): NamedMember[] =>
  tiers.flatMap((entries, tier) =>
    entries.flatMap((entry, place) =>
      "user_id" in entry ? [{ userId: entry.user_id, path: `tiers.${tier}.${place}.user_id` }] : [],
    ),
  );

/**
 * Replaces the settings. Open alerts follow: the triggers changed_escalation_* (migration 0025) queue a change per patient, which
 * deliverAfterResponse sends to the patients' objects.
 * @param expected the versions to replace; null when there are no settings yet
 * @throws ApiError not_found, invalid_request, precondition_required, precondition_failed
 */
export async function putEscalation(anyCall: Call, scope: Scope, expected: ExpectedVersion | null, after: EscalationSettings) {
  const { call, place, own, event } = await load(anyCall, scope, "escalation:manage", { name: "escalation.update", action: "U" });
  await assertMembers(call, place.hospitalId, membersOf(after), "A tier names somebody who is not on the staff.");
  const { db, actor, now } = call;
  if (own && expected === null) throw new ApiError("precondition_required");
  // No version fulfils If-Match, so the change does not run again.
  if (!own && expected) return failWithAudit({ ...call, repeatsLostRaces: false }, "precondition_failed", event);
  const version = own && expected ? matchVersion(expected, own.version) : null;
  if (version !== (own?.version ?? null)) return failWithAudit(call, "precondition_failed", event);
  const values = { settings: JSON.stringify(after), updatedBy: getActorId(actor), updatedAt: now };
  const write = own
    ? db
        .update(escalationSettings)
        .set({ ...values, version: own.version + 1 })
        .where(and(eq(escalationSettings.scopeId, scope.id), eq(escalationSettings.version, own.version)))
        .returning()
    : db
        .insert(escalationSettings)
        .values({ ...values, scopeId: scope.id, scope: scope.kind, hospitalId: place.hospitalId })
        .onConflictDoNothing()
        .returning();
  const detail = { before: escalationSettingsOf(own?.settings ?? null), after };
  const audit = recordAuditEvent(db, actor, now, { ...event, detail, when: sql`changes() > 0` });
  const [[written], rows, people] = await batch(db, [write, ...selectSettings(db, scope), ...audit]);
  return written ? toView(call, scope, place, rows, people) : failWithAudit(call, "precondition_failed", event);
}

/** Returns to the inherited settings. @throws ApiError not_found, precondition_failed */
export async function removeEscalation(anyCall: Call, scope: Scope, expected: ExpectedVersion) {
  const { call, place, own, event } = await load(anyCall, scope, "escalation:manage", { name: "escalation.delete", action: "D" });
  if (!own) {
    const { role = null, hospitalId = null } = event;
    return denyAccess(call, "escalation:manage", "not_found", {
      ...(role && { role }),
      hospitalId,
      target: { [scope.kind]: scope.id },
    });
  }
  const version = matchVersion(expected, own.version);
  if (own.version !== version) return failWithAudit(call, "precondition_failed", event);
  const { db, actor, now } = call;
  const removal = db
    .delete(escalationSettings)
    .where(and(eq(escalationSettings.scopeId, scope.id), eq(escalationSettings.version, version)))
    .returning();
  const detail = { before: escalationSettingsOf(own.settings), after: null };
  const audit = recordAuditEvent(db, actor, now, { ...event, detail, when: sql`changes() > 0` });
  const [[removed], rows, people] = await batch(db, [removal, ...selectSettings(db, scope), ...audit]);
  return removed ? toView(call, scope, place, rows, people) : failWithAudit(call, "precondition_failed", event);
}
