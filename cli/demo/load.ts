// Loads the demo world through the product's own verbs; only the marks `demo = 1` and the short password are special.
import { eq, inArray, sql } from "drizzle-orm";
import { getPlatformProxy } from "wrangler";
import { optionalDevVars } from "../../scripts/dev-secrets.mjs";
import type { Call, UserActor, UserCall, UserStanding } from "../../src/actor.ts";
import { readMachineToken } from "../../src/auth/machine-tokens.ts";
import { newSession } from "../../src/auth/sessions.ts";
import { isProduction, keysOf } from "../../src/config.ts";
import { count, scopes } from "../../src/counters.ts";
import { batch, database } from "../../src/db/client.ts";
import { hospitals, patientLinks, patients, users } from "../../src/db/schema.ts";
import { assignDevice } from "../../src/devices/assignments.ts";
import { issueCredential } from "../../src/devices/credentials.ts";
import { createDevice } from "../../src/devices/devices.ts";
import { createHospital } from "../../src/hospitals/hospitals.ts";
import { createPatient } from "../../src/patients/patients.ts";
import { receiveUpload } from "../../src/reports/upload.ts";
import { insertStaff, type StaffRole, userRow } from "../../src/users/users.ts";
import { createWard } from "../../src/wards/wards.ts";
import { drawEcgReport } from "./ecg-pdf.ts";
import { ecgMetrics, synthesizeEcg } from "./ecg-signal.ts";
import { DEMO_PASSWORD, demoPatients, FIRST_HOSPITAL, SECOND_HOSPITAL, STAFF } from "./people.ts";
import { recreateLogins } from "./recreate.ts";

const HOUR_MS = 3_600_000;
const via = { requestId: "demo-world", ip: null };
const noKey = () => [];
/** Patients who lie in the ward, monitored: their numbers are the first, which the simulator plays. */
const IN_WARD = 12;

/** @param recreate restores the logins of a demo world that is there already  @returns the exit code */
export async function loadDemo(state: string, recreate = false): Promise<number> {
  const { env: bindings, dispose } = await getPlatformProxy<Env>({ persist: { path: `${state}/v3` }, remoteBindings: false });
  // Like wrangler dev, the proxy reads only the secrets that wrangler.toml requires.
  const env: Env = { ...bindings, ...Object.fromEntries(optionalDevVars()) };
  try {
    if (isProduction(env)) {
      console.error("The demo world is for development; ENVIRONMENT is production.");
      return 1;
    }
    const db = database(env.DB);
    const [there] = await db.select({ id: users.id }).from(users).where(eq(users.demo, 1)).limit(1);
    if (!there) await build(env);
    else if (recreate) await recreateLogins(await systemCall(env));
    console.log(`Demo logins, all with the password ${DEMO_PASSWORD}:`);
    for (const { email, what } of STAFF) console.log(`  ${email.padEnd(18)} ${what}`);
    return 0;
  } finally {
    await dispose();
  }
}

async function systemCall(env: Env): Promise<Call> {
  return { db: database(env.DB), keys: await keysOf(env), actor: { kind: "system", name: "demo", via }, now: Date.now() };
}

async function build(env: Env): Promise<void> {
  const system = await systemCall(env);
  const adminId = await insertAdmin(system);
  const admin = await loggedIn(system, adminId, { role: "admin", hospitalId: null, doctorScope: "care_team" });
  const first = await createHospital(admin, { name: FIRST_HOSPITAL, doctor_scope: "care_team" }, noKey);
  const second = await createHospital(admin, { name: SECOND_HOSPITAL, doctor_scope: "care_team" }, noKey);

  const staff = new Map<string, string>();
  for (const person of STAFF.filter(({ role }) => role !== "admin" && role !== "patient")) {
    const row = await userRow(system, { ...person, password: DEMO_PASSWORD });
    const hospitalId = person.hospital === 2 ? second.hospital_id : first.hospital_id;
    staff.set(person.email, await insertStaff(admin, row, hospitalId, staffRole(person.role), "admin"));
  }
  const standing = (hospital: { hospital_id: string }, role: UserStanding["role"]): UserStanding => ({
    role,
    hospitalId: hospital.hospital_id,
    doctorScope: "care_team",
  });
  const nurse = await loggedIn(system, staff.get("nurse@demo.com") ?? "", standing(first, "nurse"));
  const otherDoctor = await loggedIn(system, staff.get("doc2@demo.com") ?? "", standing(second, "doctor"));

  const ward = await createWard(admin, { name: "Ward 1", hospital_id: first.hospital_id }, noKey);
  const firstPatients: string[] = [];
  for (const [i, person] of demoPatients(25).entries()) {
    // Every fifth patient is in nobody's care, so that the doctor's list is shorter than the nurse's.
    const doctor = i % 5 === 4 ? null : (staff.get("doc@demo.com") ?? null);
    const place = i < IN_WARD ? { ward_id: ward.ward_id, monitoring: "ward" as const } : {};
    const patient = await createPatient(nurse, { ...person, ...place, assigned_doctor_id: doctor }, noKey);
    firstPatients.push(patient.patient_id);
    await recordEcgs(env, nurse, patient, i);
  }
  // The first of them is the same person as one at the first hospital: both records carry one patient_uid.
  const elsewhere = [demoPatients(1), demoPatients(29).slice(25)].flat();
  for (const person of elsewhere) await createPatient(otherDoctor, { ...person, assigned_doctor_id: null }, noKey);
  await linkPatient(system, firstPatients[0] ?? "", staff.get("nurse@demo.com") ?? "");
  await mark(system, [first.hospital_id, second.hospital_id]);
}

function staffRole(role: string): StaffRole {
  if (role === "nurse" || role === "doctor" || role === "hospital_admin") return role;
  throw new Error(`${role} is no staff role`);
}

async function insertAdmin(call: Call): Promise<string> {
  const person = STAFF.find(({ role }) => role === "admin");
  if (!person) throw new Error("the demo world has no administrator");
  const row = await userRow(call, { ...person, password: DEMO_PASSWORD });
  await batch(call.db, [
    call.db.insert(users).values({ ...row, isAdmin: 1 }),
    count(call.db, [{ scope: scopes.all, day: 0, name: "users", n: 1 }]),
  ]);
  return row.id;
}

/** A session such as login makes, so that the verbs' own gates decide. */
async function loggedIn(call: Call, userId: string, claimed: UserStanding): Promise<UserCall> {
  const session = await newSession(call, userId, claimed, { user_agent: "demo world", ip: null });
  await batch(call.db, session.statements);
  const actor: UserActor = { kind: "user", userId, sessionId: session.id, claimed, via };
  return { ...call, actor };
}

type Registered = Awaited<ReturnType<typeof createPatient>>;

/** An ECG recorder of the patient's own sends one report, or two for every third patient. */
async function recordEcgs(env: Env, nurse: UserCall, patient: Registered, i: number): Promise<void> {
  const name = `ECG recorder ${String(i + 1).padStart(2, "0")}`;
  const serial = `DEMO-${String(i + 1).padStart(4, "0")}`;
  const device = await createDevice(
    nurse,
    { kind: "ecg", name, manufacturer: "EdgeCare demo", model: "Synth-12", serial_number: serial },
    noKey,
  );
  await assignDevice(nurse, device.device_id, patient.patient_id, noKey);
  const { token } = await issueCredential(nurse, device.device_id, "demo recorder", null, noKey);
  const actor = await readMachineToken(nurse.keys, token, via);
  if (actor?.kind !== "device") throw new Error("a fresh credential does not read");
  const recordings = i % 3 === 0 ? 2 : 1;
  for (let n = 0; n < recordings; n++) {
    const recordedAt = nurse.now - (i * 7 + n * 30 + 1) * HOUR_MS;
    await uploadEcg(env, { ...nurse, actor, now: recordedAt }, patient, name, i * 2 + n);
  }
}

async function uploadEcg(env: Env, call: Call, patient: Registered, device: string, seed: number): Promise<void> {
  const metrics = ecgMetrics(seed);
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
    form: true,
    about: { recorded_at: recordedAt, confidence: 0.9 + (seed % 10) / 100 },
    bytes: new Uint8Array(pdf),
    fileName: `ecg-${recordedAt.slice(0, 10)}.pdf`,
    metrics: new TextEncoder().encode(JSON.stringify(metrics)),
    defaultKind: "ecg",
  }));
}

/** patient@demo.com owns the first record, as if they had used a claim code. */
async function linkPatient(call: Call, patientId: string, verifiedBy: string): Promise<void> {
  const person = STAFF.find(({ role }) => role === "patient");
  if (!person) throw new Error("the demo world has no patient login");
  const row = await userRow(call, { ...person, password: DEMO_PASSWORD });
  await batch(call.db, [
    call.db.insert(users).values(row),
    call.db.insert(patientLinks).values({ userId: row.id, patientId, method: "claim_code", verifiedBy, createdAt: call.now }),
    count(call.db, [{ scope: scopes.all, day: 0, name: "users", n: 1 }]),
  ]);
}

async function mark({ db }: Call, hospitalIds: string[]): Promise<void> {
  await batch(db, [
    db.update(users).set({ demo: 1 }).where(sql`1`),
    db.update(hospitals).set({ demo: 1 }).where(inArray(hospitals.id, hospitalIds)),
    db.update(patients).set({ demo: 1 }).where(inArray(patients.hospitalId, hospitalIds)),
  ]);
}
