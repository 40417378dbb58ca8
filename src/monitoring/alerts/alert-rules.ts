// Alert rules of wards and patients: validated, stored in D1, and audited with the values before and after.
import { and, eq, type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import { type Call, getActorId } from "../../access/actor.ts";
import { type AuditEvent, afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import { isInCallerHospital } from "../../access/effective-role.ts";
import { type Access, accessFields, authorizePatient, withPatient } from "../../access/patient-access.ts";
import type { Permission } from "../../access/permissions.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import { buildPage, COUNT_LIMIT, type PageQuery, type PageStart, resolvePageStart } from "../../http/pagination.ts";
import { unsealIdentity } from "../../patients/identity/sealed-fields.ts";
import { batch } from "../../platform/db/client.ts";
import { alertRules, wards } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { toIso } from "../../platform/time.ts";
import { checkLimits, type LimitProblem, type LimitsOverride, type LimitsOverrides, mergeLimits } from "../alarm-rules/limits.ts";
import { limitsOverrideOf } from "../alarm-rules/stored.ts";
import { toLimitProfile } from "../patient-object/context/alarm-config.ts";
import { findAgeBand, findVital, getDefaultLimits, VITALS } from "../vitals/catalogue.ts";
import { AGE_BANDS, type AgeBand, type Limits, type Vital } from "../vitals/model.ts";

type AlertRuleRow = typeof alertRules.$inferSelect;
export type Layer = "default" | "ward" | "patient";

function toRule(row: AlertRuleRow) {
  const vital = findVital(row.code);
  return {
    ward_id: row.scope === "ward" ? row.scopeId : null,
    patient_id: row.scope === "patient" ? row.scopeId : null,
    code: row.code,
    name: vital?.name ?? null,
    unit: vital?.unit ?? null,
    limits: limitsOverrideOf(row.limits),
    version: row.version,
    updated_by: row.updatedBy,
    updated_at: toIso(row.updatedAt),
  };
}

/** Rules are ordered by ward and vital; a cursor names both as `<ward>/<LOINC code>`. */
const toRuleKey = ({ scopeId, code }: Pick<AlertRuleRow, "scopeId" | "code">) => ({ value: 0, id: `${scopeId}/${code}` });

function isAfterRule({ after }: PageStart): SQL | undefined {
  if (!after) return undefined;
  const [scopeId, code] = after.id.split("/");
  return sql`(${alertRules.scopeId}, ${alertRules.code}) > (${scopeId}, ${code})`;
}

/** Rules of the wards of the caller's hospital, or of all hospitals for administrators, ordered by ward. */
export async function listRules(
  anyCall: Call,
  query: PageQuery & { ward_id?: string | undefined; hospital_id?: string | undefined },
) {
  const { ward_id, hospital_id } = query;
  const start = await resolvePageStart(anyCall, "alert_rules", query);
  const { call, effectiveRole, results } = await withUser(anyCall, "alert_rule:read", (effectiveRole, { db }) => {
    const wardFilter = and(
      isInCallerHospital(effectiveRole, wards.hospitalId),
      ward_id ? eq(wards.id, ward_id) : undefined,
      hospital_id ? eq(wards.hospitalId, hospital_id) : undefined,
    );
    const filter = sql`${alertRules.scopeId} IN (SELECT id FROM wards WHERE ${wardFilter ?? sql`1`}) AND ${alertRules.scope} = 'ward'`;
    return [
      db
        .select()
        .from(alertRules)
        .where(and(filter, isAfterRule(start)))
        .orderBy(alertRules.scopeId, alertRules.code)
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM alert_rules WHERE ${filter} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const { role, hospitalId } = effectiveRole;
  const [rows, [counted]] = results;
  const { rows: pageRows, pagination } = await buildPage(start, rows, toRuleKey, { n: counted?.n ?? 0, exact: false });
  const detail = { count: pageRows.length };
  await appendAuditEvent(call, { event: "alert_rule.list", action: "R", role, hospitalId, detail });
  return { items: pageRows.map(toRule), pagination };
}

/** The ward or patient of a rule, the stored rule, and the audit event of the change. */
type RuleScope = {
  scope: "ward" | "patient";
  id: string;
  hospitalId: string;
  before: AlertRuleRow | undefined;
  event: AuditEvent;
};

async function loadWardScope(anyCall: Call, id: string, code: string, event: string): Promise<RuleScope & { call: Call }> {
  const action: Permission = "alert_rule:manage";
  const { call, effectiveRole, results } = await withUser(anyCall, action, (effectiveRole, { db }) => [
    db
      .select({ hospitalId: wards.hospitalId })
      .from(wards)
      .where(and(eq(wards.id, id), isInCallerHospital(effectiveRole, wards.hospitalId))),
    db.select().from(alertRules).where(ruleFilter(id, code)),
  ]);
  const [[ward], [before]] = results;
  const { role } = effectiveRole;
  if (!ward) return denyAccess(call, action, "not_found", { role, hospitalId: effectiveRole.hospitalId, target: { ward: id } });
  const { hospitalId } = ward;
  const entity = { type: "ward", id };
  return { scope: "ward", id, hospitalId, before, call, event: { event, action: "U", role, hospitalId, entity } };
}

const ruleFilter = (scopeId: string, code: string) => and(eq(alertRules.scopeId, scopeId), eq(alertRules.code, code));

export function toPatientAuditEvent(access: Access, event: string, action: "R" | "U"): AuditEvent {
  const { id } = access.patient;
  return { ...accessFields(access), event, action, entity: { type: "patient", id }, subjects: [id] };
}

const selectRules = ({ db }: Call, patientId: SQL) =>
  db
    .select()
    .from(alertRules)
    .where(sql`${alertRules.scopeId} IN (${patientId}, (SELECT ward_id FROM patients WHERE id = ${patientId}))`);

function groupByLayer(rows: readonly AlertRuleRow[]): { ward: LimitsOverrides; patient: LimitsOverrides } {
  const limitsOfScope = (scope: AlertRuleRow["scope"]) =>
    Object.fromEntries(rows.filter((row) => row.scope === scope).map((row) => [row.code, limitsOverrideOf(row.limits)]));
  return { ward: limitsOfScope("ward"), patient: limitsOfScope("patient") };
}

/** An unknown age counts as adult, as in the alarm rules. */
async function getAgeBand({ keys, now }: Call, { patient }: Access): Promise<AgeBand> {
  const { date_of_birth } = await unsealIdentity(keys, patient);
  return date_of_birth === null ? "adult" : findAgeBand(date_of_birth, now).band;
}

async function getDefaultsOf(call: Call, access: Access): Promise<Record<string, Limits>> {
  return getDefaultLimits(await getAgeBand(call, access), toLimitProfile(access.patient.monitoring));
}

/** @throws ApiError invalid_request that names the fields */
export function assertValidLimits(problems: readonly LimitProblem[], path = ""): void {
  if (problems.length === 0) return;
  const errors = problems.map(({ field, code, message }) => ({ path: `${path}${field}`, message, code }));
  throw new ApiError("invalid_request", "The limits are not valid; see errors.", { errors });
}

/** A ward may be for children, so its limits must be valid over the defaults of at least one age band. */
function checkWardLimits(limits: LimitsOverride, { code }: Vital): LimitProblem[] {
  const problemsByBand = AGE_BANDS.map((band) => checkLimits(limits, code, getDefaultLimits(band)[code]));
  return problemsByBand.some((problems) => problems.length === 0) ? [] : (problemsByBand.at(-1) ?? []);
}

/**
 * Sets a ward's limits of one vital; absent fields are inherited.
 * @param expected the versions to replace; null when there is no rule yet
 * @throws ApiError not_found, invalid_request, precondition_required, precondition_failed
 */
export async function putWardRule(
  anyCall: Call,
  id: string,
  vital: Vital,
  expected: ExpectedVersion | null,
  limits: LimitsOverride,
) {
  const { call, ...scope } = await loadWardScope(anyCall, id, vital.code, "alert_rule.update");
  assertValidLimits(checkWardLimits(limits, vital));
  return saveRule(call, scope, vital, expected, limits);
}

/** `putWardRule` for one patient. */
export async function putPatientRule(
  call: Call,
  ref: string,
  vital: Vital,
  expected: ExpectedVersion | null,
  limits: LimitsOverride,
) {
  const access = await authorizePatient(call, { patient: ref }, "alert_rule:manage");
  const rows = await selectRules(call, sql`${access.patient.id}`);
  const { ward } = groupByLayer(rows);
  const base = mergeLimits(await getDefaultsOf(call, access), ward, {});
  assertValidLimits(checkLimits(limits, vital.code, base[vital.code]));
  return saveRule(call, toPatientScope(access, rows, vital, "alert_rule.update"), vital, expected, limits);
}

function toPatientScope(access: Access, rows: readonly AlertRuleRow[], { code }: Vital, event: string): RuleScope {
  const before = rows.find((row) => row.scope === "patient" && row.code === code);
  const { patient, hospitalId } = access;
  return { scope: "patient", id: patient.id, hospitalId, before, event: toPatientAuditEvent(access, event, "U") };
}

/**
 * Compare-and-set on the version. The write reaches the patients' objects by way of the triggers changed_rule_insert and
 * changed_rule_update (migrations 0004 and 0007), which queue a change per patient in the same transaction; deliverAfterResponse
 * (patient-object/context/change-delivery.ts), mounted for MONITOR_CHANGE_PATHS in app.ts, sends it to PatientMonitor.configure.
 */
async function saveRule(
  call: Call,
  { scope, id, hospitalId, before, event }: RuleScope,
  { code }: Vital,
  expected: ExpectedVersion | null,
  after: LimitsOverride,
) {
  const { db, actor, now } = call;
  if (before && expected === null) throw new ApiError("precondition_required");
  // No version fulfils If-Match, so the change does not run again.
  if (!before && expected) return failWithAudit({ ...call, repeatsLostRaces: false }, "precondition_failed", event);
  const version = before && expected ? matchVersion(expected, before.version) : null;
  if (version !== (before?.version ?? null)) return failWithAudit(call, "precondition_failed", event);
  const limits = JSON.stringify(after);
  const values = { limits, updatedBy: getActorId(actor), updatedAt: now };
  const write = before
    ? db
        .update(alertRules)
        .set({ ...values, version: before.version + 1 })
        .where(and(ruleFilter(id, code), eq(alertRules.version, before.version)))
        .returning()
    : db
        .insert(alertRules)
        .values({ ...values, scopeId: id, scope, code, hospitalId })
        .onConflictDoNothing()
        .returning();
  const detail = { code, before: before ? limitsOverrideOf(before.limits) : null, after };
  const [[row]] = await batch(db, [write, ...recordAuditEvent(db, actor, now, { ...event, detail, when: sql`changes() > 0` })]);
  return row ? toRule(row) : failWithAudit(call, "precondition_failed", event);
}

/** Resets a ward's limits of one vital to the inherited ones. @throws ApiError not_found, precondition_failed */
export async function removeWardRule(anyCall: Call, id: string, vital: Vital, expected: ExpectedVersion): Promise<void> {
  const { call, ...scope } = await loadWardScope(anyCall, id, vital.code, "alert_rule.delete");
  await removeRule(call, scope, vital, expected);
}

export async function removePatientRule(call: Call, ref: string, vital: Vital, expected: ExpectedVersion): Promise<string> {
  const access = await authorizePatient(call, { patient: ref }, "alert_rule:manage");
  const rows = await selectRules(call, sql`${access.patient.id}`);
  await removeRule(call, toPatientScope(access, rows, vital, "alert_rule.delete"), vital, expected);
  return access.patient.id;
}

/** Delivered to the patients' objects like `saveRule`, by the trigger changed_rule_delete. */
async function removeRule(
  call: Call,
  { scope, id, hospitalId, before, event }: RuleScope,
  { code }: Vital,
  expected: ExpectedVersion,
): Promise<void> {
  const { db, actor, now } = call;
  if (!before) {
    return denyAccess(call, "alert_rule:manage", "not_found", {
      ...(event.role && { role: event.role }),
      hospitalId,
      target: { [scope]: id },
      patientId: scope === "patient" ? id : null,
    });
  }
  const version = matchVersion(expected, before.version);
  if (before.version !== version) return failWithAudit(call, "precondition_failed", event);
  const detail = { code, before: limitsOverrideOf(before.limits), after: null };
  const [deleted] = await batch(db, [
    db
      .delete(alertRules)
      .where(and(ruleFilter(id, code), eq(alertRules.version, version)))
      .returning({ code: alertRules.code }),
    ...recordAuditEvent(db, actor, now, { ...event, action: "D", detail, when: sql`changes() > 0` }),
  ]);
  if (deleted.length === 0) return failWithAudit(call, "precondition_failed", event);
}

const NO_RULE = { version: null, updated_by: null, updated_at: null };

/** The limits in effect, with the layer of each field: patient before ward before default of the age band. */
export async function getEffectiveRules(call: Call, ref: string) {
  const { access, results } = await withPatient(call, { patient: ref }, "alert_rule:read", (patientId) => [
    selectRules(call, patientId),
  ]);
  const [rows] = results;
  const stored = appendAuditEvent(call, toPatientAuditEvent(access, "alert_rule.read", "R"));
  const band = await afterAudit(stored, getAgeBand(call, access));
  const { ward, patient } = groupByLayer(rows);
  const monitoring = toLimitProfile(access.patient.monitoring);
  const merged = mergeLimits(getDefaultLimits(band, monitoring), ward, patient);
  const rules = VITALS.flatMap(({ code, name, unit }) => {
    const limits = merged[code];
    if (!limits) return [];
    const patientRule = rows.find((row) => row.scope === "patient" && row.code === code);
    const { version, updated_by, updated_at } = patientRule ? toRule(patientRule) : NO_RULE;
    return [{ code, name, unit, limits, from: findLayers(limits, ward[code], patient[code]), version, updated_by, updated_at }];
  });
  return { patient_id: access.patient.id, ward_id: access.patient.ward_id, age_band: band, monitoring, rules };
}

function findLayers(limits: Limits, ward: LimitsOverride = {}, patient: LimitsOverride = {}): Record<string, Layer> {
  const findLayer = (field: string): Layer => (field in patient ? "patient" : field in ward ? "ward" : "default");
  return Object.fromEntries(Object.keys(limits).map((field) => [field, findLayer(field)]));
}
