// Loads the demo data through the product's own operations; only `demo = 1` and the short password are special.

import { eq, inArray, sql } from "drizzle-orm";
import { getPlatformProxy } from "wrangler";
import { optionalDevVars } from "../../scripts/dev-secrets.mjs";
import type { Call, UserActor, UserCall, UserEffectiveRole } from "../../src/access/actor.ts";
import { readCredentialToken } from "../../src/accounts/sessions/credential-tokens.ts";
import { prepareSession } from "../../src/accounts/sessions/sessions.ts";
import { createUnverifiedUserRow, insertStaff, type StaffRole } from "../../src/accounts/users/users.ts";
import { createAuditLogs } from "../../src/audit-log/audit-logs.ts";
import { assignDevice } from "../../src/devices/assignments.ts";
import { issueCredential } from "../../src/devices/device-credentials.ts";
import { createDevice } from "../../src/devices/devices.ts";
import { createHospital } from "../../src/organization/hospitals/hospitals.ts";
import { createWard } from "../../src/organization/wards/wards.ts";
import { createPatient } from "../../src/patients/create-patient.ts";
import { getKeys, isProduction } from "../../src/platform/config.ts";
import { COUNTER_SCOPES, incrementCounters } from "../../src/platform/counters.ts";
import { batch, getDb } from "../../src/platform/db/client.ts";
import { hospitals, patientLinks, patients, users } from "../../src/platform/db/schema.ts";
import { receiveUpload } from "../../src/reports/upload/upload.ts";
import { drawEcgReport } from "./ecg-pdf.ts";
import { generateEcgMetrics, synthesizeEcg } from "./ecg-signal.ts";
import { applyMigrations } from "./migrate.ts";
import { createDemoPatients, DEMO_PASSWORD, FIRST_HOSPITAL, SECOND_HOSPITAL, STAFF } from "./people.ts";
import { recreateLogins } from "./recreate.ts";

const HOUR_MS = 3_600_000;
const YEAR_MS = 366 * 24 * HOUR_MS;
/** More than the retention period of the demo hospitals' country. */
const FORMER_PATIENT_YEARS = 5;
const via = { requestId: "demo-world", ip: null };
const withoutKey = () => [];
/** Monitored patients on the ward: they have the first patient numbers, which the simulator uses. */
const WARD_PATIENTS = 12;

/** @param recreate restores the logins of existing demo data  @returns the exit code */
export async function loadDemo(state: string, recreate = false): Promise<number> {
  const { env: bindings, dispose } = await getPlatformProxy<Env>({ persist: { path: `${state}/v3` }, remoteBindings: false });
  // Like wrangler dev, the proxy reads only the secrets that wrangler.toml requires.
  const env: Env = { ...bindings, ...Object.fromEntries(optionalDevVars()) };
  try {
    if (isProduction(env)) {
      console.error("Refused: the demo data are for development; ENVIRONMENT is production.");
      return 1;
    }
    await applyMigrations(env.DB);
    const db = getDb(env.DB);
    const [existing] = await db.select({ id: users.id }).from(users).where(eq(users.demo, 1)).limit(1);
    if (!existing) await buildDemoWorld(env);
    else if (recreate) await recreateLogins(await systemCall(env));
    console.log(`Demo logins, all with the password ${DEMO_PASSWORD}:`);
    for (const { email, what } of STAFF) console.log(`  ${email.padEnd(18)} ${what}`);
    return 0;
  } finally {
    await dispose();
  }
}

async function systemCall(env: Env): Promise<Call> {
  return {
    db: getDb(env.DB),
    keys: await getKeys(env),
    actor: { kind: "system", name: "demo", via },
    now: Date.now(),
    auditLog: createAuditLogs(env),
  };
}

async function buildDemoWorld(env: Env): Promise<void> {
  const system = await systemCall(env);
  const adminId = await createAdmin(system);
  const admin = await logInAs(system, adminId, { role: "admin", hospitalId: null, doctorScope: "care_team" });
  const settings = { doctor_scope: "care_team", time_zone: "Asia/Kolkata", country: "IN" } as const;
  const first = await createHospital(admin, { name: FIRST_HOSPITAL, ...settings }, withoutKey);
  const second = await createHospital(admin, { name: SECOND_HOSPITAL, ...settings }, withoutKey);

  const staff = new Map<string, string>();
  for (const person of STAFF.filter(({ role }) => role !== "admin" && role !== "patient")) {
    const row = await createUnverifiedUserRow(system, { ...person, password: DEMO_PASSWORD });
    const hospitalId = person.hospital === 2 ? second.hospital_id : first.hospital_id;
    staff.set(person.email, await insertStaff(admin, row, hospitalId, staffRole(person.role), "admin"));
  }
  const toRole = (hospital: { hospital_id: string }, role: UserEffectiveRole["role"]): UserEffectiveRole => ({
    role,
    hospitalId: hospital.hospital_id,
    doctorScope: "care_team",
  });
  const nurse = await logInAs(system, staff.get("nurse@demo.com") ?? "", toRole(first, "nurse"));
  const otherDoctor = await logInAs(system, staff.get("doc2@demo.com") ?? "", toRole(second, "doctor"));

  const ward = await createWard(admin, { name: "Ward 1", hospital_id: first.hospital_id }, withoutKey);
  const firstPatients: string[] = [];
  for (const [i, person] of createDemoPatients(25).entries()) {
    // Every fifth patient has no care team, so that the doctor's list is shorter than the nurse's.
    const doctor = i % 5 === 4 ? null : (staff.get("doc@demo.com") ?? null);
    const placement = i < WARD_PATIENTS ? { ward_id: ward.ward_id, monitoring: "ward" as const } : {};
    const patient = await createPatient(nurse, { ...person, ...placement, assigned_doctor_id: doctor }, withoutKey);
    firstPatients.push(patient.patient_id);
    await recordEcgs(env, nurse, patient, i);
  }
  // The first of them is also a patient of the first hospital: both records have the same patient_uid.
  const elsewhere = [createDemoPatients(1), createDemoPatients(29).slice(25)].flat();
  for (const person of elsewhere) await createPatient(otherDoctor, { ...person, assigned_doctor_id: null }, withoutKey);
  await addFormerPatient(env, otherDoctor);
  await linkPatient(system, firstPatients[0] ?? "", staff.get("nurse@demo.com") ?? "");
  await markAsDemo(system, [first.hospital_id, second.hospital_id]);
}

function staffRole(role: string): StaffRole {
  if (role === "nurse" || role === "doctor" || role === "hospital_admin") return role;
  throw new Error(`${role} is not a staff role`);
}

async function createAdmin(call: Call): Promise<string> {
  const person = STAFF.find(({ role }) => role === "admin");
  if (!person) throw new Error("the demo data have no administrator");
  const row = await createUnverifiedUserRow(call, { ...person, password: DEMO_PASSWORD });
  await batch(call.db, [
    call.db.insert(users).values({ ...row, isAdmin: 1 }),
    incrementCounters(call.db, [{ scope: COUNTER_SCOPES.all, day: 0, name: "users", n: 1 }]),
  ]);
  return row.id;
}

/** A session as login creates it, so that the operations' own access checks decide. */
async function logInAs(call: Call, userId: string, claimed: UserEffectiveRole): Promise<UserCall> {
  const session = await prepareSession(call, userId, claimed, { user_agent: "demo world", ip: null });
  await batch(call.db, session.statements);
  const actor: UserActor = { kind: "user", userId, sessionId: session.id, claimedRole: claimed, via };
  return { ...call, actor };
}

type RegisteredPatient = Awaited<ReturnType<typeof createPatient>>;

/** The patient's own ECG recorder sends one report, or two for every third patient. */
async function recordEcgs(env: Env, nurse: UserCall, patient: RegisteredPatient, i: number): Promise<void> {
  const name = `ECG recorder ${String(i + 1).padStart(2, "0")}`;
  const serial = `DEMO-${String(i + 1).padStart(4, "0")}`;
  const device = await createDevice(
    nurse,
    { kind: "ecg", name, manufacturer: "EdgeCare demo", model: "Synth-12", serial_number: serial },
    withoutKey,
  );
  const recordings = i % 3 === 0 ? 2 : 1;
  const times = Array.from({ length: recordings }, (_, n) => nurse.now - (i * 7 + n * 30 + 1) * HOUR_MS);
  // From before the first recording: a device's report belongs to the patient to whom the device was assigned then.
  const assignedAt = Math.min(...times) - HOUR_MS;
  await assignDevice({ ...nurse, now: assignedAt }, device.device_id, patient.patient_id, null, withoutKey);
  const { token } = await issueCredential(nurse, device.device_id, "demo recorder", null, withoutKey);
  const actor = await readCredentialToken(nurse.keys, token, via);
  if (actor?.kind !== "device") throw new Error("a new credential cannot be parsed");
  for (const [n, recordedAt] of times.entries()) {
    await uploadEcg(env, { ...nurse, actor, now: recordedAt }, patient, name, i * 2 + n);
  }
}

async function uploadEcg(
  env: Env,
  call: Call,
  patient: RegisteredPatient,
  device: string,
  seed: number,
  more: Record<string, string> = {},
): Promise<void> {
  const metrics = generateEcgMetrics(seed);
  const recordedAt = new Date(call.now).toISOString();
  const pdf = await drawEcgReport({
    metrics,
    signal: synthesizeEcg(metrics, seed),
    patient: {
      name: [patient.first_name, patient.last_name].filter(Boolean).join(" "),
      birth_date: patient.date_of_birth ?? "",
      sex: patient.gender,
      patient_number: patient.patient_number,
    },
    device,
    hospital: FIRST_HOSPITAL,
    recorded_at: recordedAt,
  });
  await receiveUpload(call, env.FILES, null, async () => ({
    isForm: true,
    fields: { ...more, recorded_at: recordedAt, confidence: (90 + (seed % 10)) / 100 },
    bytes: new Uint8Array(pdf),
    announced: null,
    fileName: `ecg-${recordedAt.slice(0, 10)}.pdf`,
    metrics: new TextEncoder().encode(JSON.stringify(metrics)),
    defaultKind: "ecg",
  }));
}

/** A patient whose last visit was so long ago that the record may be erased (docs/trust-story.md). */
async function addFormerPatient(env: Env, doctor: UserCall): Promise<void> {
  const then = { ...doctor, now: doctor.now - FORMER_PATIENT_YEARS * YEAR_MS };
  const [person] = createDemoPatients(30).slice(29);
  if (!person) throw new Error("the demo data have no former patient");
  const patient = await createPatient(then, { ...person, assigned_doctor_id: null }, withoutKey);
  await uploadEcg(env, then, patient, "ECG recorder", 99, { patient_id: patient.patient_id });
}

/** Links patient@demo.com to the first record, as a claim code would. */
async function linkPatient(call: Call, patientId: string, verifiedBy: string): Promise<void> {
  const person = STAFF.find(({ role }) => role === "patient");
  if (!person) throw new Error("the demo data have no patient login");
  const row = await createUnverifiedUserRow(call, { ...person, password: DEMO_PASSWORD });
  await batch(call.db, [
    call.db.insert(users).values(row),
    call.db.insert(patientLinks).values({ userId: row.id, patientId, method: "claim_code", verifiedBy, createdAt: call.now }),
    incrementCounters(call.db, [{ scope: COUNTER_SCOPES.all, day: 0, name: "users", n: 1 }]),
  ]);
}

async function markAsDemo({ db, now }: Call, hospitalIds: string[]): Promise<void> {
  await batch(db, [
    // Nobody could open links that are sent to demo addresses.
    db.update(users).set({ demo: 1, emailVerifiedAt: now }).where(sql`1`),
    db.update(hospitals).set({ demo: 1 }).where(inArray(hospitals.id, hospitalIds)),
    db.update(patients).set({ demo: 1 }).where(inArray(patients.hospitalId, hospitalIds)),
  ]);
}
