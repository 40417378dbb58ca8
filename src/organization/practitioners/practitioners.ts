// Practitioners (FHIR Practitioner at one hospital): what patients and colleagues may know of a doctor or nurse.
import { and, eq, type SQL, sql } from "drizzle-orm";
import { asCaller } from "../../access/access.ts";
import type { Call, UserActor, UserCall, UserStanding } from "../../access/actor.ts";
import { type AuditAction, type AuditEvent, audit } from "../../access/audit.ts";
import { fail, refuse } from "../../access/refusals.ts";
import type { Action } from "../../access/roles.ts";
import { MEMBER_NOW } from "../../access/standing.ts";
import { openProfile } from "../../accounts/users/users.ts";
import type { Taking } from "../../http/idempotency.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../../http/pagination.ts";
import { batch, isConflict, isUnmet } from "../../platform/db/client.ts";
import { practitioners } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { type Details, openDetails, pickDetails, sealDetails } from "./details.ts";

export type PractitionerRole = "doctor" | "nurse";
export type NewPractitioner = Details & { user_id: string; hospital_id?: string | undefined; specialty: string | null };
export type PractitionerChange = Partial<Details> & { specialty?: string | null; is_active?: boolean };
export type PractitionerList = PageQuery & {
  hospital_id?: string | undefined;
  specialty?: string | undefined;
  role?: PractitionerRole | undefined;
  active?: boolean | undefined;
};

/** Of their own profile people change this much; the rest is for those who vouch for it. */
const OWN_FIELDS = ["phone", "languages", "about"];

type Person = { profileSealed: string; role: string; hospitalName: string; works: number };
type Row = typeof practitioners.$inferSelect & Person;

const iso = (time: number) => new Date(time).toISOString();

/** Works there now, as doctor or nurse. */
const WORKS = sql`(u.active = 1 AND h.active = 1 AND m.role IN ('doctor', 'nurse') AND ${MEMBER_NOW})`;
const LIVE = sql`(practitioners.active = 1 AND ${WORKS})`;
/** CROSS JOIN keeps the order: the profile is found first, its person and place by key. */
const FROM = sql`practitioners CROSS JOIN users u ON u.id = practitioners.user_id
  CROSS JOIN hospitals h ON h.id = practitioners.hospital_id
  CROSS JOIN memberships m ON m.user_id = practitioners.user_id AND m.hospital_id = practitioners.hospital_id`;
const PERSON = sql`u.profile_sealed AS profileSealed, m.role AS role, h.name AS hospitalName, ${WORKS} AS works`;
const COLUMNS = sql`practitioners.id AS id, practitioners.user_id AS userId, practitioners.hospital_id AS hospitalId,
  practitioners.specialty AS specialty, practitioners.details_sealed AS detailsSealed, practitioners.active AS active,
  practitioners.created_by AS createdBy, practitioners.created_at AS createdAt, practitioners.updated_at AS updatedAt,
  practitioners.version AS version, ${PERSON}`;

/** Staff know their hospital's; patients those who work where their records are; administrators all. */
function visible(standing: UserStanding, actor: UserActor): SQL | undefined {
  if (standing.role === "admin") return undefined;
  if (standing.role !== "patient") return eq(practitioners.hospitalId, standing.hospitalId ?? "");
  return sql`practitioners.hospital_id IN (SELECT p.hospital_id FROM patient_links l JOIN patients p ON p.id = l.patient_id
    WHERE l.user_id = ${actor.userId}) AND ${LIVE}`;
}

/** Those whom the caller may change: managers their hospital's, doctors and nurses themselves. */
function changeable(standing: UserStanding, actor: UserActor): SQL | undefined {
  if (standing.role === "patient") return sql`0`;
  const own = eq(practitioners.userId, actor.userId);
  return and(visible(standing, actor), standing.role === "doctor" || standing.role === "nurse" ? own : undefined);
}

async function toPractitioner({ keys }: Call, row: Row, details?: Details) {
  const [profile, told] = await Promise.all([
    openProfile(keys, { id: row.userId, profileSealed: row.profileSealed }),
    details ?? openDetails(keys, row),
  ]);
  return {
    practitioner_id: row.id,
    user_id: row.userId,
    full_name: profile.full_name,
    role: row.role,
    hospital: { hospital_id: row.hospitalId, name: row.hospitalName },
    specialty: row.specialty,
    ...told,
    is_active: row.active === 1 && row.works === 1,
    created_at: iso(row.createdAt),
    updated_at: iso(row.updatedAt),
    version: row.version,
  };
}

function eventOf(
  { role }: UserStanding,
  row: { id: string; hospitalId: string },
  event: string,
  action: AuditAction,
): AuditEvent {
  return { event, action, role, hospitalId: row.hospitalId, entity: { type: "practitioner", id: row.id } };
}

/**
 * A profile for a doctor or nurse who works at the hospital, one for each person there.
 * @throws ApiError not_found (nobody who works there), conflict (in another role), already_exists
 */
export async function createPractitioner(anyCall: Call, input: NewPractitioner, taking: Taking) {
  const { call, standing, results } = await asCaller(anyCall, "practitioner:manage", (standing, { db }) => [
    db.all<Person>(sql`SELECT ${PERSON} FROM memberships m JOIN users u ON u.id = m.user_id AND u.active = 1
      JOIN hospitals h ON h.id = m.hospital_id WHERE m.user_id = ${input.user_id} AND ${MEMBER_NOW}
      AND m.hospital_id = ${input.hospital_id ?? standing.hospitalId ?? ""}`),
  ]);
  const { role } = standing;
  const hospitalId = input.hospital_id ?? standing.hospitalId;
  if (!hospitalId) throw new ApiError("invalid_request", "Name hospital_id.");
  const [person] = results[0];
  if ((role !== "admin" && hospitalId !== standing.hospitalId) || !person) {
    const target = { user: input.user_id };
    return refuse(call, "practitioner:manage", "not_found", { role, hospitalId: standing.hospitalId, target });
  }
  const { db, keys, actor, now } = call;
  const { specialty, user_id: userId } = input;
  const details = pickDetails(input);
  const id = uuidv7();
  const detailsSealed = await sealDetails(keys, id, 1, details);
  const made = { active: 1, createdBy: actor.userId, createdAt: now, updatedAt: now, version: 1 };
  const row = { id, userId, hospitalId, specialty, detailsSealed, ...made };
  const event = eventOf(standing, row, "practitioner.create", "C");
  if (!person.works) return fail(call, "conflict", event);
  // Who has stopped working there in this instant becomes nobody, and the column refuses the batch.
  const worker = sql`(SELECT m.user_id FROM memberships m JOIN users u ON u.id = m.user_id JOIN hospitals h ON h.id = m.hospital_id
    WHERE m.user_id = ${userId} AND m.hospital_id = ${hospitalId} AND ${WORKS})`;
  try {
    // First the key, so that a second request of one key meets the key and not the profile.
    await batch(db, [
      ...taking(id),
      db.insert(practitioners).values({ ...row, userId: worker }),
      ...audit(db, actor, now, event),
    ]);
  } catch (error) {
    if (isUnmet(error, "practitioners.user_id")) return fail(call, "conflict", event);
    if (isConflict(error, "practitioners.")) throw new ApiError("already_exists", "This person has a profile there.");
    throw error;
  }
  return toPractitioner(call, { ...row, ...person }, details);
}

/** A profile, if `scope` lets the caller have it, or the audited 404. */
async function onePractitioner(anyCall: Call, id: string, gate: Action, action: Action, scope: typeof visible) {
  const { call, standing, results } = await asCaller(anyCall, gate, (standing, { db, actor }) => [
    db.all<Row>(sql`SELECT ${COLUMNS} FROM ${FROM} WHERE ${and(eq(practitioners.id, id), scope(standing, actor))}`),
  ]);
  const [row] = results[0];
  const { role, hospitalId } = standing;
  const facts = { role, hospitalId, target: { practitioner: id } };
  if (role === "patient" && action === "practitioner:manage") return refuse(call, action, "forbidden", facts);
  if (!row) return refuse(call, action, "not_found", facts);
  return { call, standing, row };
}

export async function getPractitioner(anyCall: Call, id: string) {
  const read = "practitioner:read";
  const { call, standing, row } = await onePractitioner(anyCall, id, read, read, visible);
  await batch(call.db, audit(call.db, call.actor, call.now, eventOf(standing, row, "practitioner.read", "R")));
  return toPractitioner(call, row);
}

/** Profiles that the caller may see, newest first. */
export async function listPractitioners(anyCall: Call, query: PractitionerList) {
  const start = await startOf(anyCall, "practitioners", query);
  const { where, orderBy } = keyset(start, practitioners.createdAt, practitioners.id);
  const filter = and(
    query.hospital_id ? eq(practitioners.hospitalId, query.hospital_id) : undefined,
    query.specialty ? eq(practitioners.specialty, query.specialty) : undefined,
    query.role ? sql`m.role = ${query.role}` : undefined,
    query.active === undefined ? undefined : query.active ? LIVE : sql`NOT ${LIVE}`,
  );
  const { call, standing, results } = await asCaller(anyCall, "practitioner:read", (standing, { db, actor }) => {
    const wanted = and(visible(standing, actor), filter) ?? sql`1`;
    return [
      db.all<Row>(sql`SELECT ${COLUMNS} FROM ${FROM} WHERE ${and(wanted, where)} ORDER BY ${sql.join(orderBy, sql`, `)}
        LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${FROM} WHERE ${wanted} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const { db, actor, now } = call;
  const [rows, [counted]] = results;
  const { rows: kept, pagination } = await toPage(start, rows, (row) => ({ value: row.createdAt, id: row.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  const { role, hospitalId } = standing;
  const detail = { count: kept.length };
  await batch(db, audit(db, actor, now, { event: "practitioner.list", action: "R", role, hospitalId, detail }));
  return { items: await Promise.all(kept.map((row) => toPractitioner(call, row))), pagination };
}

/**
 * Changes a profile whose version the caller has seen; the details are sealed anew for the next version.
 * @throws ApiError not_found, forbidden (a field that is not one's own to change), precondition_failed
 */
export async function updatePractitioner(anyCall: Call, id: string, version: number, change: PractitionerChange) {
  const manage = "practitioner:manage";
  const { call, standing, row } = await onePractitioner(anyCall, id, "self:write", manage, changeable);
  const { role, hospitalId } = standing;
  const own = role === "doctor" || role === "nurse";
  if (own && Object.keys(change).some((field) => !OWN_FIELDS.includes(field))) {
    return refuse(call, manage, "forbidden", { role, hospitalId, target: { practitioner: id } });
  }
  const fields = Object.keys(change);
  const event = { ...eventOf(standing, row, "practitioner.update", "U"), detail: { fields } };
  if (row.version !== version) return fail(call, "precondition_failed", event);
  return writePractitioner(call, row, change, event);
}

async function writePractitioner(call: UserCall, row: Row, change: PractitionerChange, event: AuditEvent) {
  const { db, keys, actor, now } = call;
  const { specialty = row.specialty, is_active, ...told } = change;
  const details = pickDetails({ ...(await openDetails(keys, row)), ...told });
  const version = row.version + 1;
  const detailsSealed = await sealDetails(keys, row.id, version, details);
  const active = is_active === undefined ? row.active : Number(is_active);
  const [[after]] = await batch(db, [
    db
      .update(practitioners)
      .set({ specialty, active, detailsSealed, updatedAt: now, version })
      .where(and(eq(practitioners.id, row.id), eq(practitioners.version, row.version)))
      .returning({ id: practitioners.id }),
    ...audit(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
  if (!after) return fail(call, "precondition_failed", event);
  return toPractitioner(call, { ...row, specialty, active, updatedAt: now, version }, details);
}

/** Removes a profile; the person and their work stay as they are. @throws ApiError not_found, precondition_failed */
export async function deletePractitioner(anyCall: Call, id: string, version: number): Promise<void> {
  const manage = "practitioner:manage";
  const { call, standing, row } = await onePractitioner(anyCall, id, manage, manage, changeable);
  const { db, actor, now } = call;
  const event = eventOf(standing, row, "practitioner.delete", "D");
  if (row.version !== version) return fail(call, "precondition_failed", event);
  const [rows] = await batch(db, [
    db
      .delete(practitioners)
      .where(and(eq(practitioners.id, id), eq(practitioners.version, version)))
      .returning({ id: practitioners.id }),
    ...audit(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
  if (rows.length === 0) await fail(call, "precondition_failed", event);
}
