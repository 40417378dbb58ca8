// Opening a live view: the gate for the patients that were named, or for a hospital. The trace commits with the decision.
import { type SQL, sql } from "drizzle-orm";
import { asWriter, patientScope } from "../../access/access.ts";
import type { Call, PrincipalCall, Standing } from "../../access/actor.ts";
import { type AuditEvent, audit } from "../../access/audit.ts";
import { refuse } from "../../access/refusals.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { monitoredPatients, namedPatients, type Requested } from "./views.ts";

/** More patients than this are not one screen. */
export const MOST_NAMED = 100;
const MOST_SHOWN = 1_000;

/** Patients by name, or a hospital: the caller's own where it is null. */
export type Asked = { patientIds: Requested; hospitalId: string | null };
export type Opened = { call: PrincipalCall; standing: Standing; hospitalId: string; requested: Requested };

type Gate = { standing: Standing; call: PrincipalCall; check: Statement[]; event: "live.ticket" | "live.open" };
type Row = { id: string; hospital_id: string };

/**
 * @throws ApiError unauthenticated, forbidden, not_found (a patient or hospital that is not the caller's to see),
 * patient_ambiguous, invalid_request (patients of several hospitals, too many)
 */
export function openView(anyCall: Call, asked: Asked, event: Gate["event"]): Promise<Opened> {
  return asWriter(
    anyCall,
    "patient:read",
    () => null,
    (standing, call, check) => {
      const gate = { standing, call, check, event };
      if (asked.patientIds) return openNamed(gate, [...new Set(asked.patientIds)]);
      if (standing.role === "patient") return openOwn(gate, asked.hospitalId);
      return openHospital(gate, asked.hospitalId ?? standing.hospitalId);
    },
  );
}

async function openNamed(gate: Gate, patientIds: readonly string[]): Promise<Opened> {
  const { standing, call } = gate;
  const visible = namedPatients(standing, call.actor, patientIds);
  const rows = await call.db.all<Row>(visible);
  const seen = new Set(rows.map(({ id }) => id));
  const missing = patientIds.find((id) => !seen.has(id));
  const [hospitalId, other] = new Set(rows.map((row) => row.hospital_id));
  if (missing !== undefined || hospitalId === undefined) return refuseView(gate, { patient: missing ?? "own" });
  if (other !== undefined) return fail(gate, new ApiError("invalid_request", "Name patients of one hospital."));
  const still = sql`(SELECT count(*) FROM (${visible}) WHERE hospital_id = ${hospitalId}) = ${patientIds.length}`;
  const stillHolds = await commit(gate, hospitalId, still, { subjects: patientIds, detail: { patients: patientIds.length } });
  if (!stillHolds) return refuseView(gate, { patient: patientIds[0] ?? "own" });
  return { call, standing, hospitalId, requested: patientIds };
}

/** A patient's own records, where one hospital has them all. */
async function openOwn(gate: Gate, hospitalId: string | null): Promise<Opened> {
  const { standing, call } = gate;
  const mine = patientScope(standing, call.actor, sql`p.id`, sql`p.hospital_id`);
  const here = hospitalId === null ? sql`1` : sql`p.hospital_id = ${hospitalId}`;
  const rows = await call.db.all<Row>(sql`SELECT p.id AS id, p.hospital_id AS hospital_id FROM patients p
    WHERE ${mine} AND ${here} LIMIT ${MOST_NAMED}`);
  if (new Set(rows.map((row) => row.hospital_id)).size > 1) return fail(gate, new ApiError("patient_ambiguous"));
  const ids = rows.map(({ id }) => id);
  return openNamed(gate, ids);
}

async function openHospital(gate: Gate, hospitalId: string | null): Promise<Opened> {
  const { standing, call } = gate;
  if (hospitalId === null) return fail(gate, new ApiError("invalid_request", "Name hospital_id or patient_ids."));
  if (standing.role !== "admin" && hospitalId !== standing.hospitalId) return refuseView(gate, { hospital: hospitalId });
  const known = sql`EXISTS (SELECT 1 FROM hospitals WHERE id = ${hospitalId})`;
  const monitored = monitoredPatients(standing, call.actor, hospitalId);
  const [counted] = await call.db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (${monitored})`);
  const patients = counted?.n ?? 0;
  if (patients > MOST_SHOWN) {
    return fail(gate, new ApiError("invalid_request", `More than ${MOST_SHOWN} patients are monitored; name patient_ids.`));
  }
  if (!(await commit(gate, hospitalId, known, { detail: { patients, whole_hospital: true } }))) {
    return refuseView(gate, { hospital: hospitalId });
  }
  return { call, standing, hospitalId, requested: null };
}

/** The decision and its trace, in one batch with the check of the caller. @returns whether it may be opened */
async function commit(
  gate: Gate,
  hospitalId: string,
  may: SQL,
  facts: Pick<AuditEvent, "subjects" | "detail">,
): Promise<boolean> {
  const { standing, call, check, event } = gate;
  const { db, actor, now } = call;
  const { role } = standing;
  const trace = audit(db, actor, now, {
    ...facts,
    event,
    action: "R",
    role,
    hospitalId,
    actorHospitalId: standing.hospitalId,
    when: may,
  });
  const [[decision]] = await batch(db, [db.all<{ may: number }>(sql`SELECT ${may} AS may`), ...check, ...trace]);
  return decision?.may === 1;
}

/** A refusal counts only for who is still let in at all: the check comes first. */
async function refuseView(gate: Gate, target: Record<string, string>): Promise<never> {
  const { standing, call, check } = gate;
  await batch(call.db, check);
  return refuse(call, "patient:read", "not_found", { role: standing.role, hospitalId: standing.hospitalId, target });
}

async function fail(gate: Gate, error: ApiError): Promise<never> {
  await batch(gate.call.db, gate.check);
  throw error;
}
