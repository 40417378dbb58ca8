// A new patient: what may be said of one, and the statements that make the record, for the batch of whoever makes it.
import { z } from "@hono/zod-openapi";
import { type SQL, sql } from "drizzle-orm";
import { type Call, idOf, type Standing } from "../access/actor.ts";
import { audit } from "../access/audit.ts";
import { MEMBER_NOW, openHospital } from "../access/standing.ts";
import { Id } from "../http/router.ts";
import { count, scopes, total } from "../platform/counters.ts";
import type { Statement } from "../platform/db/client.ts";
import { careTeam, patients, patientTokens } from "../platform/db/schema.ts";
import { uuidv7 } from "../platform/ids.ts";
import { AadhaarNumber, personOf, rememberPerson, uidOf } from "./identity/aadhaar.ts";
import { clinicalFields, type Identity, identityFields, pickClinical, pickIdentity, sealPatient } from "./identity/identity.ts";
import { tokensOf } from "./identity/search-tokens.ts";

export const Monitoring = z.enum(["off", "home", "ward"]);

export const NewPatientBody = z.strictObject({
  ...identityFields,
  ...clinicalFields,
  aadhaar_number: AadhaarNumber.optional(),
  assigned_doctor_id: Id.nullable().default(null),
  ward_id: Id.nullable().default(null),
  monitoring: Monitoring.default("off"),
});
export type NewPatient = z.output<typeof NewPatientBody>;

/** The user if they are a doctor of that hospital now, else an id that nobody has: the foreign key refuses the batch. */
export function doctorThere(userId: string, hospitalId: string): SQL {
  return sql`CASE WHEN EXISTS (SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id AND u.active = 1
    WHERE m.user_id = ${userId} AND m.hospital_id = ${hospitalId} AND m.role = 'doctor' AND ${MEMBER_NOW})
    THEN ${userId} ELSE 'nobody' END`;
}

/** The ward if the hospital has it and uses it, else an id that no ward has. */
export function wardThere(wardId: string, hospitalId: string): SQL {
  return sql`CASE WHEN EXISTS (SELECT 1 FROM wards w WHERE w.id = ${wardId} AND w.hospital_id = ${hospitalId} AND w.active = 1)
    THEN ${wardId} ELSE 'nowhere' END`;
}

/**
 * Row (what the database gave it is the result at `rowAt`), search tokens, care team (a creating doctor and the assigned one), totals and trace.
 * @throws ApiError invalid_request (a number where none is taken); the batch fails on a foreign key for a doctor or ward
 * that is not there, and on patients.hospital_id for a hospital that is not open
 */
export async function newPatient(
  call: Call,
  input: NewPatient,
  hospitalId: string,
  role: Standing["role"],
): Promise<{ id: string; identity: Identity; statements: Statement[]; rowAt: number }> {
  const { db, keys, actor, now } = call;
  const id = uuidv7();
  const by = idOf(actor);
  const person = input.aadhaar_number ? await personOf(call, input.aadhaar_number) : null;
  const identity = pickIdentity({ ...input, aadhaar_last4: person?.last4 ?? null });
  const sealed = await sealPatient(keys, id, 1, identity, pickClinical(input));
  const { assigned_doctor_id: doctor, ward_id: ward } = input;
  const team = new Set([...(role === "doctor" ? [by] : []), ...(doctor ? [doctor] : [])]);
  const insert = db.insert(patients).values({
    id,
    // One statement, one writer: the next number cannot be given twice, not even when the last one was taken out.
    patientNumber: sql`(SELECT max(coalesce(max(patient_number), 0), ${total(scopes.all, "patient_number")}) + 1 FROM patients)`,
    hospitalId: openHospital(hospitalId),
    wardId: ward && wardThere(ward, hospitalId),
    monitoring: input.monitoring,
    patientUid: person && uidOf(person),
    uidBasis: person && (role === "patient" ? "self" : "staff"),
    ...sealed,
    assignedDoctorId: doctor && doctorThere(doctor, hospitalId),
    createdBy: by,
    createdAt: now,
    updatedAt: now,
  });
  const row = insert.returning({ number: patients.patientNumber, uid: patients.patientUid, basis: patients.uidBasis });
  const totals = [scopes.all, scopes.hospital(hospitalId)].map((scope) => ({ scope, day: 0, name: "patients", n: 1 }));
  return {
    id,
    identity,
    rowAt: person ? 1 : 0,
    statements: [
      ...(person ? [rememberPerson(call, person)] : []),
      row,
      db.run(sql`INSERT INTO counters (scope, day, name, n) SELECT ${scopes.all}, 0, 'patient_number', max(patient_number)
        FROM patients WHERE 1 ON CONFLICT (scope, day, name) DO UPDATE SET n = excluded.n`),
      addTokens(call, hospitalId, id, await tokensOf(keys, hospitalId, identity)),
      ...[...team].map((userId) => db.insert(careTeam).values({ patientId: id, userId, addedBy: by, startedAt: now })),
      count(db, totals),
      ...audit(db, actor, now, {
        event: "patient.create",
        action: "C",
        role,
        basis: role === "admin" || role === "app" ? role : role === "patient" ? "self" : "staff",
        hospitalId,
        entity: { type: "patient", id },
        subjects: [id],
        ...(doctor && { detail: { assigned_doctor_id: doctor } }),
      }),
    ],
  };
}

/** @param when the tokens are written only if this holds */
export function addTokens({ db }: Call, hospitalId: string, id: string, tokens: string[], when: SQL = sql`1`): Statement {
  return db.run(sql`INSERT INTO ${patientTokens} (hospital_id, token, patient_id)
    SELECT ${hospitalId}, value, ${id} FROM json_each(${JSON.stringify(tokens)}) WHERE ${when}`);
}
