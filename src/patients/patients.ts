// Patients: create, read, update, list. Everything goes through the gate and leaves its trace in the same batch.
import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Access } from "../access.ts";
import { asPrincipal, patientScope, requirePatient, requirePrincipal } from "../access.ts";
import { type Call, idOf, type Standing } from "../actor.ts";
import { audit } from "../audit.ts";
import { count, scopes, total } from "../counters.ts";
import { batch, isMissingReference, type Statement } from "../db/client.ts";
import { careTeam, patients } from "../db/schema.ts";
import { ApiError } from "../errors.ts";
import type { Taking } from "../idempotency.ts";
import { uuidv7 } from "../ids.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../pagination.ts";
import type { PatientRow } from "../patient-row.ts";
import { PATIENT_SUMMARY } from "../patient-row.ts";
import { refuse } from "../refusals.ts";
import { MEMBER_NOW } from "../standing.ts";
import { type Clinical, type Identity, openClinical, openIdentity, sealPatient } from "./identity.ts";

export type NewPatient = Identity &
  Clinical & {
    hospital_id?: string | undefined;
    assigned_doctor_id: string | null;
    monitoring: PatientRow["monitoring"];
  };

/** True when the user is a doctor of that hospital now. */
const isDoctor = (userId: string, hospitalId: string): SQL =>
  sql`EXISTS (SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id AND u.active = 1
    WHERE m.user_id = ${userId} AND m.hospital_id = ${hospitalId} AND m.role = 'doctor' AND ${MEMBER_NOW})`;

/**
 * Registers a patient at the caller's hospital; a creating doctor and the assigned one join the care team.
 * @throws ApiError forbidden, not_found (hospital), invalid_request (assigned_doctor_id is no doctor there)
 */
export async function createPatient(anyCall: Call, input: NewPatient, taking: Taking) {
  const { call, standing } = await requirePrincipal(anyCall, "patient:create");
  const hospitalId = standing.role === "admin" ? input.hospital_id : standing.hospitalId;
  if (!hospitalId) throw new ApiError("invalid_request", "Name hospital_id.");
  if (input.hospital_id && input.hospital_id !== hospitalId) {
    return refuse(call, "patient:create", "not_found", { role: standing.role, hospitalId });
  }
  return insertPatient(call, input, hospitalId, standing.role, taking);
}

export async function insertPatient(
  call: Call,
  input: NewPatient,
  hospitalId: string,
  role: Standing["role"],
  taking: Taking = () => [],
) {
  const { db, keys, actor, now } = call;
  const id = uuidv7();
  const sealed = await sealPatient(keys, id, 1, pickIdentity(input), pickClinical(input));
  const team = new Set([
    ...(role === "doctor" ? [idOf(actor)] : []),
    ...(input.assigned_doctor_id ? [input.assigned_doctor_id] : []),
  ]);
  const doctor = input.assigned_doctor_id;
  try {
    const insert = db
      .insert(patients)
      .values({
        id,
        // One statement, one writer: the next number cannot be given twice.
        patientNumber: sql`(SELECT coalesce(max(patient_number), 0) + 1 FROM patients)`,
        hospitalId,
        monitoring: input.monitoring,
        ...sealed,
        // A user who is no doctor there becomes an id that no user has, and the foreign key refuses the batch.
        assignedDoctorId: doctor ? sql`CASE WHEN ${isDoctor(doctor, hospitalId)} THEN ${doctor} ELSE 'nobody' END` : null,
        createdBy: idOf(actor),
        createdAt: now,
        updatedAt: now,
      })
      .returning({ patient_number: patients.patientNumber });
    const [[inserted]] = await batch(db, [
      insert,
      ...taking(id),
      ...[...team].map((userId) => db.insert(careTeam).values({ patientId: id, userId, addedBy: idOf(actor), startedAt: now })),
      count(
        db,
        [scopes.all, scopes.hospital(hospitalId)].map((scope) => ({ scope, day: 0, name: "patients", n: 1 })),
      ),
      ...audit(db, actor, now, {
        event: "patient.create",
        action: "C",
        role,
        basis: role === "admin" ? "admin" : "staff",
        hospitalId,
        entity: { type: "patient", id },
        subjects: [id],
      }),
    ]);
    const row = {
      id,
      patient_number: inserted?.patient_number ?? 0,
      hospital_id: hospitalId,
      ward_id: null,
      patient_uid: null,
      uid_basis: null,
    };
    const rest = {
      monitoring: input.monitoring,
      assigned_doctor_id: doctor,
      active: 1,
      created_at: now,
      updated_at: now,
      version: 1,
    };
    return { ...toSummary({ ...row, ...rest }, pickIdentity(input)), ...pickClinical(input) };
  } catch (error) {
    if (isMissingReference(error)) {
      throw new ApiError("invalid_request", "hospital_id or assigned_doctor_id names nobody there.");
    }
    throw error;
  }
}

function pickIdentity(i: Identity): Identity {
  const { first_name, last_name, gender, date_of_birth, phone, email, address } = i;
  return { first_name, last_name, gender, date_of_birth, phone, email, address };
}

function pickClinical({ medical_history, notes, symptoms }: Clinical): Clinical {
  return { medical_history, notes, symptoms };
}

const iso = (time: number) => new Date(time).toISOString();

function toSummary(row: Omit<PatientRow, "identity_sealed" | "clinical_sealed">, identity: Identity) {
  return {
    patient_id: row.id,
    patient_number: row.patient_number,
    hospital_id: row.hospital_id,
    ward_id: row.ward_id,
    monitoring: row.monitoring,
    assigned_doctor_id: row.assigned_doctor_id,
    is_active: row.active === 1,
    ...identity,
    created_at: iso(row.created_at),
    updated_at: iso(row.updated_at),
    version: row.version,
  };
}

async function toDetail(call: Call, row: PatientRow) {
  const [identity, clinical] = await Promise.all([openIdentity(call.keys, row), openClinical(call.keys, row)]);
  return { ...toSummary(row, identity), ...clinical };
}

function readEvent(access: Access, event: string, action: "R" | "U") {
  const { patient, role, basis, hospitalId } = access;
  return { event, action, role, basis, hospitalId, entity: { type: "patient", id: patient.id }, subjects: [patient.id] };
}

/** One patient with history and symptoms. @param ref id or patient_number  @throws ApiError not_found */
export async function getPatient(call: Call, ref: string) {
  const access = await requirePatient(call, { patient: ref }, "patient:read");
  await batch(call.db, audit(call.db, call.actor, call.now, readEvent(access, "patient.read", "R")));
  return toDetail(call, access.patient);
}

export type PatientChange = Partial<
  Identity & Clinical & { assigned_doctor_id: string | null; monitoring: PatientRow["monitoring"] }
>;

/**
 * Changes a patient whose version the caller has seen; both columns are sealed anew for the next version.
 * @throws ApiError not_found, precondition_failed, forbidden (a doctor changing the assignment), invalid_request
 */
export async function updatePatient(call: Call, ref: string, version: number, change: PatientChange) {
  const { db, keys, actor, now } = call;
  const access = await requirePatient(call, { patient: ref }, "patient:update");
  const { patient, role, hospitalId } = access;
  const doctor = change.assigned_doctor_id;
  if (doctor !== undefined && role === "doctor") {
    await refuse(call, "patient:update", "forbidden", {
      role,
      hospitalId,
      target: { patient: patient.id },
      patientId: patient.id,
    });
  }
  if (patient.version !== version) return refuseStale(call, access);
  const before = await toDetail(call, patient);
  const after = { ...before, ...change };
  const sealed = await sealPatient(keys, patient.id, version + 1, pickIdentity(after), pickClinical(after));
  const update = db
    .update(patients)
    .set({
      ...sealed,
      monitoring: after.monitoring,
      ...(doctor !== undefined && {
        assignedDoctorId: doctor ? sql`CASE WHEN ${isDoctor(doctor, hospitalId)} THEN ${doctor} ELSE 'nobody' END` : null,
      }),
      updatedAt: now,
      version: version + 1,
    })
    .where(and(eq(patients.id, patient.id), eq(patients.version, version)))
    .returning({ version: patients.version });
  const event = { ...readEvent(access, "patient.update", "U"), detail: { fields: Object.keys(change) } };
  try {
    const [rows] = await batch(db, [
      update,
      ...audit(db, actor, now, { ...event, when: sql`changes() > 0` }),
      ...(doctor ? [joinTeam(call, patient.id, doctor, version + 1)] : []),
    ]);
    if (rows.length === 0) return refuseStale(call, access);
  } catch (error) {
    if (isMissingReference(error)) {
      throw new ApiError("invalid_request", "assigned_doctor_id names no doctor of the hospital.");
    }
    throw error;
  }
  return { ...after, updated_at: iso(now), version: version + 1 };
}

/** @throws ApiError precondition_failed, after its trace */
async function refuseStale({ db, actor, now }: Call, access: Access): Promise<never> {
  const event = readEvent(access, "patient.update", "U");
  await batch(db, audit(db, actor, now, { ...event, outcome: "failed", reason: "precondition_failed" }));
  throw new ApiError("precondition_failed");
}

/** The assigned doctor joins, if this very update was the one that counted. */
function joinTeam({ db, actor, now }: Call, patientId: string, userId: string, version: number): Statement {
  const addedBy = idOf(actor);
  return db.run(sql`INSERT INTO care_team (patient_id, user_id, added_by, started_at)
    SELECT ${patientId}, ${userId}, ${addedBy}, CAST(${now} AS INTEGER) FROM patients
    WHERE id = ${patientId} AND version = ${version} AND assigned_doctor_id = ${userId}
    ON CONFLICT (patient_id, user_id) DO UPDATE SET ended_at = NULL,
      started_at = CASE WHEN ended_at IS NULL THEN started_at ELSE excluded.started_at END`);
}

export type PatientList = PageQuery & {
  sort: "number" | "-number" | "updated" | "-updated";
  monitoring?: PatientRow["monitoring"] | undefined;
};

/** Patients that the caller may see. Names are sealed, so a list is ordered by number or change, never by name. */
export async function listPatients(anyCall: Call, query: PatientList) {
  const start = await startOf(anyCall, "patients", query);
  const column = query.sort.endsWith("number") ? patients.patientNumber : patients.updatedAt;
  const { where, orderBy } = keyset(start, column, patients.id, !query.sort.startsWith("-"));
  const { monitoring } = query;
  // The second term lets the partial index of those who are monitored answer.
  const watched = monitoring === "off" ? undefined : sql`${patients.monitoring} <> 'off'`;
  const filter = monitoring ? and(eq(patients.monitoring, monitoring), watched) : undefined;
  const counter = (standing: Standing) => (filter ? null : counterScope(standing));
  const { call, standing, results } = await asPrincipal(anyCall, "patient:read", (standing, { db, actor }) => {
    const scope = patientScope(standing, actor, patients.id, patients.hospitalId);
    return [
      db.all<Omit<PatientRow, "clinical_sealed">>(sql`SELECT ${PATIENT_SUMMARY} FROM patients WHERE ${and(scope, filter, where)}
        ORDER BY ${sql.join(orderBy, sql`, `)} LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
      counter(standing)
        ? db.all<{ n: number }>(sql`SELECT ${total(counter(standing) ?? "", "patients")} AS n`)
        : db.all<{ n: number }>(
            sql`SELECT count(*) AS n FROM (SELECT 1 FROM patients WHERE ${and(scope, filter)} LIMIT ${COUNT_LIMIT + 1})`,
          ),
    ];
  });
  const { db, keys, actor, now } = call;
  const [rows, [counted]] = results;
  const { rows: kept, pagination } = await toPage(
    start,
    rows,
    (row) => ({ value: query.sort.endsWith("number") ? row.patient_number : row.updated_at, id: row.id }),
    { n: counted?.n ?? 0, exact: counter(standing) !== null },
  );
  await batch(
    db,
    audit(db, actor, now, {
      event: "patient.list",
      action: "R",
      role: standing.role,
      hospitalId: standing.hospitalId,
      subjects: kept.map((row) => row.id),
      detail: { count: kept.length },
    }),
  );
  const items = await Promise.all(kept.map(async (row) => toSummary(row, await openIdentity(keys, row))));
  return { items, pagination };
}

/** The counter of everything the caller may see, where there is one. */
function counterScope(standing: Standing): string | null {
  if (standing.role === "admin") return scopes.all;
  if (standing.role === "patient" || (standing.role === "doctor" && standing.doctorScope === "care_team")) return null;
  return scopes.hospital(standing.hospitalId ?? "");
}
