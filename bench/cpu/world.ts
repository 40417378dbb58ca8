// A hospital created over HTTP, so that bundles of different commits get the same data, and the measured requests.
import { z } from "zod";
import { callApi } from "../api.ts";

const PEOPLE = 6;
const PATIENTS = 25;
/** Patients with a device; samples are sent for them in turn. */
const DEVICES = 10;
/** Rows of one batch, and the time between two rows. */
const ROWS = 50;
const ROW_MS = 20;
const PASSWORD = "lanterns over seven hills";

const VITALS = [
  ["8867-4", 72, "/min"],
  ["59408-5", 97, "%"],
  ["9279-1", 16, "/min"],
  ["8480-6", 121, "mm[Hg]"],
  ["8462-4", 78, "mm[Hg]"],
  ["8310-5", 36.8, "Cel"],
] as const;

/** A request; `expected`: a text that the response to a request with the wanted effect contains. */
export type Send = { path: string; token: string; json?: object; expected?: string };
/** The measured kinds of requests, each with a function that builds its n-th request. */
export type Kinds = ReadonlyMap<string, (n: number) => Send>;

const Answer = z.object({ data: z.record(z.string(), z.unknown()) });

/** Creates a hospital, staff, patients with one report each, and devices. `bootstrapToken`: from the server's secrets. */
export async function newWorld(url: URL, bootstrapToken: string): Promise<Kinds> {
  const post = async (path: string, json: object, name: string, token = "") => {
    const { data } = Answer.parse(JSON.parse(await callApi(url, token, `/api/v1${path}`, json)));
    return String(data[name]);
  };
  const login = (email: string) => post("/auth/login", { email, password: PASSWORD }, "access_token");

  const root = { email: "root@example.org", full_name: "Root", password: PASSWORD };
  await post("/auth/bootstrap", { ...root, token: bootstrapToken }, "user_id");
  const admin = await login(root.email);
  const hospital_id = await post("/hospitals", { name: "Bench General", doctor_scope: "hospital" }, "hospital_id", admin);
  const staff: string[] = [];
  for (let i = 0; i < PEOPLE; i++) {
    const role = i === 0 ? "hospital_admin" : "nurse";
    const person = { email: `staff${i}@example.org`, full_name: `Staff ${i}`, password: PASSWORD, role, hospital_id };
    await post("/users", person, "user_id", admin);
    staff.push(await login(person.email));
  }
  const [manager = "", ...nurses] = staff;
  const patients: string[] = [];
  const devices: string[] = [];
  for (let i = 0; i < PATIENTS; i++) {
    const patient_id = await post("/patients", patient(i), "patient_id", manager);
    patients.push(patient_id);
    await upload(url, manager, patient_id, i);
    if (i >= DEVICES) continue;
    const device = await post("/devices", { kind: "gateway", name: `Gateway ${i}` }, "device_id", manager);
    await post(`/devices/${device}/assignments`, { patient_id }, "device_id", manager);
    devices.push(await post(`/devices/${device}/credentials`, { name: "bench" }, "token", manager));
  }
  const nurse = (n: number) => pick(nurses, n);
  const batch = samplesOf(devices);
  return new Map([
    ["auth/me", (n) => ({ path: "/api/v1/auth/me", token: nurse(n) })],
    ["patient detail", (n) => ({ path: `/api/v1/patients/${pick(patients, n)}`, token: nurse(n) })],
    ["patients list of 20", (n) => ({ path: "/api/v1/patients?limit=20", token: nurse(n) })],
    ["reports list of 20", (n) => ({ path: "/api/v1/reports?limit=20", token: nurse(n) })],
    ["one sample", (n) => batch(n, 1, VITALS.slice(0, 1))],
    ["50 rows of six vitals", (n) => batch(n, ROWS, VITALS)],
  ]);
}

function pick(values: readonly string[], n: number): string {
  return values[n % values.length] ?? "";
}

const patient = (i: number) => ({
  first_name: `Asha ${i}`,
  last_name: "Verma",
  phone: `+91 98765 ${10_000 + i}`,
  email: `asha${i}@example.org`,
  date_of_birth: "1964-03-04",
  medical_history: "Hypertension since 2015, on amlodipine 5 mg.",
  symptoms: ["palpitations"],
  monitoring: "ward",
});

async function upload(url: URL, token: string, patientId: string, i: number): Promise<void> {
  const form = new FormData();
  form.set("file", new Blob([`%PDF-1.4\n% report ${i}\n%%EOF\n`], { type: "application/pdf" }), `ecg-${i}.pdf`);
  form.set("patient_id", patientId);
  const headers = { Authorization: `Bearer ${token}` };
  const response = await fetch(new URL("/api/v1/reports", url), { method: "POST", headers, body: form });
  if (!response.ok) throw new Error(`upload: ${response.status} ${await response.text()}`);
}

/** Samples of the devices in turn, in ascending order of time since their assignment, with values that raise no alarm. */
function samplesOf(devices: readonly string[]) {
  const begin = Date.now();
  const rows = devices.map(() => 0);
  return (n: number, count: number, vitals: readonly (typeof VITALS)[number][]): Send => {
    const device = n % devices.length;
    const first = rows[device] ?? 0;
    rows[device] = first + count;
    const samples = Array.from({ length: count }, (_, i) => {
      const effective_at = new Date(begin + (first + i) * ROW_MS).toISOString();
      return vitals.map(([code, value, unit]) => ({ code, value: value + ((first + i) % 3), unit, effective_at }));
    }).flat();
    const expected = `"stored":${samples.length},`;
    return { path: "/api/v1/observations", token: pick(devices, n), json: { samples }, expected };
  };
}
