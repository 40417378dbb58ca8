// Alarm limits of wards and patients: kept in D1, checked before they are saved, each change with its numbers in the trail.
import { and, eq, sql } from "drizzle-orm";
import { type Access, asCaller, requirePatient, requireRole } from "../access.ts";
import { type Call, idOf, type UserStanding } from "../actor.ts";
import { type AuditEvent, audit } from "../audit.ts";
import { batch } from "../db/client.ts";
import { alertRules, wards } from "../db/schema.ts";
import { ApiError } from "../errors.ts";
import { openIdentity } from "../patients/identity.ts";
import { fail, refuse } from "../refusals.ts";
import type { Action } from "../roles.ts";
import { ageBandOf, defaultLimits, VITALS, vitalOf } from "../vitals/catalogue.ts";
import { AGE_BANDS, type AgeBand, type Limits, type Vital } from "../vitals/model.ts";
import { checkLimits, type LimitProblem, type LimitsOverride, type LimitsOverrides, mergeLimits } from "./limits.ts";
import { limitsOverrideOf } from "./stored.ts";

type Row = typeof alertRules.$inferSelect;
export type Layer = "default" | "ward" | "patient";

/** So many rules a list holds; a hospital with more names a ward. */
export const MAX_RULES = 1_000;

function toRule(row: Row) {
  const vital = vitalOf(row.code);
  const limits = limitsOverrideOf(row.limits);
  return {
    ward_id: row.scope === "ward" ? row.scopeId : null,
    patient_id: row.scope === "patient" ? row.scopeId : null,
    code: row.code,
    name: vital?.name ?? null,
    unit: vital?.unit ?? null,
    limits,
    version: row.version,
    updated_by: row.updatedBy,
    updated_at: new Date(row.updatedAt).toISOString(),
  };
}

/** The catalogue's limits of an age band, with their sources. */
export async function defaultRules(call: Call, band: AgeBand) {
  await requireRole(call, "alert_rule:read");
  return VITALS.flatMap(({ code, name, display, unit, plausible, limits, source }) => {
    const own = limits[band];
    return own ? [{ code, name, display, unit, plausible, limits: own, source }] : [];
  });
}

const ours = (standing: UserStanding) => (standing.role === "admin" ? sql`1` : eq(wards.hospitalId, standing.hospitalId ?? ""));

/** Rules of the wards of the caller's hospital, ward by ward; of all hospitals for administrators. */
export async function listRules(
  anyCall: Call,
  { ward_id, hospital_id }: { ward_id?: string | undefined; hospital_id?: string | undefined },
) {
  const { call, standing, results } = await asCaller(anyCall, "alert_rule:read", (standing, { db }) => {
    const named = and(
      ours(standing),
      ward_id ? eq(wards.id, ward_id) : undefined,
      hospital_id ? eq(wards.hospitalId, hospital_id) : undefined,
    );
    return [
      db
        .select()
        .from(alertRules)
        .where(sql`${alertRules.scopeId} IN (SELECT id FROM wards WHERE ${named}) AND ${alertRules.scope} = 'ward'`)
        .orderBy(alertRules.scopeId, alertRules.code)
        .limit(MAX_RULES),
    ];
  });
  const { db, actor, now } = call;
  const { role, hospitalId } = standing;
  const rows = results[0];
  await batch(
    db,
    audit(db, actor, now, { event: "alert_rule.list", action: "R", role, hospitalId, detail: { count: rows.length } }),
  );
  return rows.map(toRule);
}

/** Whose rule it is, what the caller has found there, and what its trail says. */
type Scope = { scope: "ward" | "patient"; id: string; hospitalId: string; before: Row | undefined; event: AuditEvent };

async function wardScope(anyCall: Call, id: string, code: string, event: string): Promise<Scope & { call: Call }> {
  const action: Action = "alert_rule:manage";
  const { call, standing, results } = await asCaller(anyCall, action, (standing, { db }) => [
    db
      .select({ hospitalId: wards.hospitalId })
      .from(wards)
      .where(and(eq(wards.id, id), ours(standing))),
    db.select().from(alertRules).where(ruleOf(id, code)),
  ]);
  const [[ward], [before]] = results;
  const { role } = standing;
  if (!ward) return refuse(call, action, "not_found", { role, hospitalId: standing.hospitalId, target: { ward: id } });
  const { hospitalId } = ward;
  const entity = { type: "ward", id };
  return { scope: "ward", id, hospitalId, before, call, event: { event, action: "U", role, hospitalId, entity } };
}

const ruleOf = (scopeId: string, code: string) => and(eq(alertRules.scopeId, scopeId), eq(alertRules.code, code));

export function patientEvent({ patient, role, basis, hospitalId }: Access, event: string, action: "R" | "U"): AuditEvent {
  return { event, action, role, basis, hospitalId, entity: { type: "patient", id: patient.id }, subjects: [patient.id] };
}

const rulesFor = ({ db }: Call, { patient }: Access) =>
  db
    .select()
    .from(alertRules)
    .where(sql`${alertRules.scopeId} IN (${patient.id}, ${patient.ward_id ?? patient.id})`);

function layersOf(rows: readonly Row[]): { ward: LimitsOverrides; patient: LimitsOverrides } {
  const of = (scope: Row["scope"]) =>
    Object.fromEntries(rows.filter((row) => row.scope === scope).map((row) => [row.code, limitsOverrideOf(row.limits)]));
  return { ward: of("ward"), patient: of("patient") };
}

/** Unknown ages are judged as adults, as the rules do. */
async function bandOf({ keys, now }: Call, { patient }: Access): Promise<AgeBand> {
  const { date_of_birth } = await openIdentity(keys, patient);
  return date_of_birth === null ? "adult" : ageBandOf(date_of_birth, now).band;
}

/** @throws ApiError invalid_request that names the fields */
export function requireSensible(problems: readonly LimitProblem[], path = ""): void {
  if (problems.length === 0) return;
  const errors = problems.map(({ field, code, message }) => ({ path: `${path}${field}`, message, code }));
  throw new ApiError("invalid_request", "These limits do not make sense; see errors.", { errors });
}

/** A ward may be for children: its limits have to be sensible over the defaults of one age band at least. */
function checkForWard(limits: LimitsOverride, { code }: Vital): LimitProblem[] {
  const found = AGE_BANDS.map((band) => checkLimits(limits, code, defaultLimits(band)[code]));
  return found.some((problems) => problems.length === 0) ? [] : (found.at(-1) ?? []);
}

/**
 * Sets what a ward's limits of one vital are; what is absent is inherited.
 * @param seen the version that is replaced; null for none
 * @throws ApiError not_found, invalid_request, precondition_required, precondition_failed
 */
export async function putWardRule(anyCall: Call, id: string, vital: Vital, seen: number | null, limits: LimitsOverride) {
  const { call, ...scope } = await wardScope(anyCall, id, vital.code, "alert_rule.update");
  requireSensible(checkForWard(limits, vital));
  return save(call, scope, vital, seen, limits);
}

/** As `putWardRule`, for one patient. */
export async function putPatientRule(call: Call, ref: string, vital: Vital, seen: number | null, limits: LimitsOverride) {
  const access = await requirePatient(call, { patient: ref }, "alert_rule:manage");
  const rows = await rulesFor(call, access);
  const { ward } = layersOf(rows);
  const base = mergeLimits(defaultLimits(await bandOf(call, access)), ward, {});
  requireSensible(checkLimits(limits, vital.code, base[vital.code]));
  return save(call, patientScopeOf(access, rows, vital, "alert_rule.update"), vital, seen, limits);
}

function patientScopeOf(access: Access, rows: readonly Row[], { code }: Vital, event: string): Scope {
  const before = rows.find((row) => row.scope === "patient" && row.code === code);
  const { patient, hospitalId } = access;
  return { scope: "patient", id: patient.id, hospitalId, before, event: patientEvent(access, event, "U") };
}

/** Compares and sets: of two people who saw one version, one writes. */
async function save(
  call: Call,
  { scope, id, hospitalId, before, event }: Scope,
  { code }: Vital,
  seen: number | null,
  after: LimitsOverride,
) {
  const { db, actor, now } = call;
  if (before && seen === null) throw new ApiError("precondition_required");
  if ((before?.version ?? null) !== seen) return fail(call, "precondition_failed", event);
  const limits = JSON.stringify(after);
  const told = { limits, updatedBy: idOf(actor), updatedAt: now };
  const write = before
    ? db
        .update(alertRules)
        .set({ ...told, version: before.version + 1 })
        .where(and(ruleOf(id, code), eq(alertRules.version, before.version)))
        .returning()
    : db
        .insert(alertRules)
        .values({ ...told, scopeId: id, scope, code, hospitalId })
        .onConflictDoNothing()
        .returning();
  const detail = { code, before: before ? limitsOverrideOf(before.limits) : null, after };
  const [[row]] = await batch(db, [write, ...audit(db, actor, now, { ...event, detail, when: sql`changes() > 0` })]);
  return row ? toRule(row) : fail(call, "precondition_failed", event);
}

/** The ward's limits of this vital are again what it inherits. @throws ApiError not_found, precondition_failed */
export async function removeWardRule(anyCall: Call, id: string, vital: Vital, seen: number): Promise<void> {
  const { call, ...scope } = await wardScope(anyCall, id, vital.code, "alert_rule.delete");
  await remove(call, scope, vital, seen);
}

export async function removePatientRule(call: Call, ref: string, vital: Vital, seen: number): Promise<string> {
  const access = await requirePatient(call, { patient: ref }, "alert_rule:manage");
  const rows = await rulesFor(call, access);
  await remove(call, patientScopeOf(access, rows, vital, "alert_rule.delete"), vital, seen);
  return access.patient.id;
}

async function remove(call: Call, { scope, id, hospitalId, before, event }: Scope, { code }: Vital, seen: number): Promise<void> {
  const { db, actor, now } = call;
  if (!before) {
    return refuse(call, "alert_rule:manage", "not_found", {
      ...(event.role && { role: event.role }),
      hospitalId,
      target: { [scope]: id },
      patientId: scope === "patient" ? id : null,
    });
  }
  if (before.version !== seen) return fail(call, "precondition_failed", event);
  const detail = { code, before: limitsOverrideOf(before.limits), after: null };
  const [gone] = await batch(db, [
    db
      .delete(alertRules)
      .where(and(ruleOf(id, code), eq(alertRules.version, seen)))
      .returning({ code: alertRules.code }),
    ...audit(db, actor, now, { ...event, action: "D", detail, when: sql`changes() > 0` }),
  ]);
  if (gone.length === 0) return fail(call, "precondition_failed", event);
}

const NO_RULE = { version: null, updated_by: null, updated_at: null };

/** The limits in effect, and which layer each comes from: the patient's before the ward's before the age band's. */
export async function effectiveRules(call: Call, ref: string) {
  const access = await requirePatient(call, { patient: ref }, "alert_rule:read");
  const { db, actor, now } = call;
  const [rows] = await batch(db, [
    rulesFor(call, access),
    ...audit(db, actor, now, patientEvent(access, "alert_rule.read", "R")),
  ]);
  const band = await bandOf(call, access);
  const { ward, patient } = layersOf(rows);
  const merged = mergeLimits(defaultLimits(band), ward, patient);
  const rules = VITALS.flatMap(({ code, name, unit }) => {
    const limits = merged[code];
    if (!limits) return [];
    const own = rows.find((row) => row.scope === "patient" && row.code === code);
    const { version, updated_by, updated_at } = own ? toRule(own) : NO_RULE;
    return [{ code, name, unit, limits, from: layersUnder(limits, ward[code], patient[code]), version, updated_by, updated_at }];
  });
  return { patient_id: access.patient.id, ward_id: access.patient.ward_id, age_band: band, rules };
}

function layersUnder(limits: Limits, ward: LimitsOverride = {}, patient: LimitsOverride = {}): Record<string, Layer> {
  const layer = (field: string): Layer => (field in patient ? "patient" : field in ward ? "ward" : "default");
  return Object.fromEntries(Object.keys(limits).map((field) => [field, layer(field)]));
}
