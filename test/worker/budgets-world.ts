// The hospitals whose requests are counted, and the form of a budget line.
import { runDurableObjectAlarm } from "cloudflare:test";
import {
  API,
  env,
  newDevice,
  newPdf,
  newWard,
  newWorld,
  type RequestOptions,
  readJson,
  sendRequest,
  uniqueText,
  uploadReport,
  type World,
} from "../world.ts";
import { createMonitoredPatient, createSample, type MonitoredPatient } from "./monitored-patient.ts";

export let world: World;
export let device: Awaited<ReturnType<typeof newDevice>>;
export let unbound: Awaited<ReturnType<typeof newDevice>>;
export let reportId: string;
export let link: string;
export let wardId: string;
export let practitionerId: string;
/** Another hospital, with five monitored patients on a ward. */
export let clinic: World;
export let clinicWard: string;
export let monitoredPatient: MonitoredPatient;
export let heldId: string;
export const storedPdf = newPdf("stored", 200_000);
export const REPLAYED = { headers: { "Idempotency-Key": "budget-replayed" } };

/** Everything that lines may name; created once, before the first of them. */
export async function setUpWorld(): Promise<void> {
  world = await newWorld();
  device = await newDevice(world.nurse, world.patient.id);
  unbound = await newDevice(world.nurse, null);
  const about = { patient_id: world.patient.id, metrics: '{"heart_rate":70}' };
  reportId = (await readJson(await uploadReport(world.nurse, storedPdf, about, REPLAYED))).data.report_id;
  for (let i = 0; i < 40; i++) await uploadReport(world.nurse, newPdf(), i % 2 ? about : { patient_id: world.stranger.id });
  await sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: "Uma" }, ...REPLAYED });
  wardId = await newWard(world.manager, "Ward");
  for (let i = 0; i < 20; i++) await newWard(world.manager, `Ward ${i}`);
  for (const { id } of [world.nurse, world.doctor]) {
    const profile = await readJson(
      await sendRequest(`${API}/practitioners`, { as: world.manager, json: { user_id: id, specialty: "ICU" } }),
    );
    practitionerId = profile.data.practitioner_id;
  }
  clinic = await newWorld();
  clinicWard = await newWard(clinic.manager);
  for (let i = 0; i < 5; i++) monitoredPatient = await createMonitoredPatient(clinic, clinicWard);
  const samples = Array.from({ length: 300 }, (_, i) => createSample(70 + (i % 9), (i + 1) * 60_000));
  await sendRequest(`${API}/observations`, { as: world.nurse, json: { patient_id: world.patient.id, samples } });
  await runDurableObjectAlarm(env.PATIENT_MONITOR.getByName(world.patient.id));
  await sendRequest(`${API}/observations`, { as: unbound, json: createSample(72) });
  heldId = (await env.DB.prepare("SELECT id FROM held_observations").first<string>("id")) ?? "";
  link = (await readJson(await sendRequest(`${API}/reports/${reportId}`, { as: world.doctor }))).data.download_url;
}

/** The number of rows is about a third above the count at the time of writing. */
export type Budget = { d1: number; read: number; written: number; r2: string; kv: number; objects: string };
export const NOTIFIED_OBJECTS = "feed.recheck monitor.configure";
/** `move`: a write between two patients, with an access check for each. `notify`: a write that notifies objects before it responds: one more read, the facts per patient, one more write. */
export const MAX_TRIPS = { read: 2, write: 3, move: 4, notify: 7 };
export type BudgetCase = [
  name: string,
  kind: keyof typeof MAX_TRIPS,
  status: number,
  budget: Budget,
  run: (env: Env) => Promise<Response>,
];

export const budget = (d1: number, rowsRead: number, written: number, r2 = "", objects = ""): Budget => ({
  d1,
  read: rowsRead,
  written,
  r2,
  kv: 1,
  objects,
});
/** Data in a patient's object. */
export const liveBudget = (d1: number, rowsRead: number, written: number, ...objects: string[]) =>
  budget(d1, rowsRead, written, "", objects.map((name) => `monitor.${name}`).join(" "));
export const getAs = (path: string, as: () => RequestOptions["as"]) => (counted: Env) =>
  sendRequest(API + path, { as: as(), env: counted });
export const nurse = () => world.nurse;
export const doctor = () => world.doctor;
export const admin = () => world.admin;
export const withNewKey = () => ({ headers: { "Idempotency-Key": uniqueText() } });
