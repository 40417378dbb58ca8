// The hospital whose requests meet faults, and how a route of the main job is written.
import { runDurableObjectAlarm } from "cloudflare:test";
import { alertId } from "../../src/monitoring/patient-object/samples/ids.ts";
import { API, ask, env, newDevice, newPatient, newPdf, newWorld, read, unique, upload, type World } from "../world.ts";

export let world: World;
export let device: { id: string; token: string };
export let reportId: string;
export let wardId: string;
export let watched: Watched;

/** What every route may name; once, before the first of them. */
export async function openWorld(): Promise<void> {
  world = await newWorld();
  device = await newDevice(world.nurse, world.patient.id);
  const sent = await upload(world.nurse, newPdf(), { patient_id: world.patient.id, metrics: '{"heart_rate":70}' });
  reportId = (await read(sent)).data.report_id;
  wardId = (await read(await ask(`${API}/wards`, { as: world.manager, json: { name: `Ward ${unique()}` } }))).data.ward_id;
  watched = await newWatched();
}

export type Watched = { id: string; alertId: string; observationId: string };

export const sample = (value: number) => ({ code: "8867-4", value, unit: "/min", effective_at: new Date().toISOString() });

/** Somebody new in the ward whose heart stands still, told to D1. */
export async function newWatched(): Promise<Watched> {
  const { id } = await newPatient(world.hospitalId, world.nurse, [world.doctor]);
  const change = {
    as: world.nurse,
    method: "PATCH",
    json: { monitoring: "home", ward_id: wardId },
    headers: { "If-Match": '"1"' },
  };
  await ask(`${API}/patients/${id}`, change);
  const sent = await ask(`${API}/observations`, { as: world.nurse, json: { patient_id: id, ...sample(0) } });
  await runDurableObjectAlarm(env.PATIENT_MONITOR.getByName(id));
  return { id, alertId: alertId(id, 1), observationId: (await read(sent)).data.results[0].observation_id };
}

/** One request that can be sent again as it was: same body, same key. */
export type Attempt = { send(env: Env): Promise<Response>; effects?(): Promise<number> };
export type Route = {
  name: string;
  status: number;
  attempt(): Promise<Attempt>;
  retry: "once" | "any" | "none";
  /** What a retry of a lost success hears; 412 unless told. */
  used?: number;
  /** What the trail calls the effect of an object: it stands there before the object is asked. */
  event?: string;
  /** Answers also where an object does not. */
  withoutObjects?: true;
  /** Tells objects of the change before it answers (monitor/changes.ts); when that fails cron does it, and the change stands. */
  told?: true;
  /** Machines' limits are counted where they are: without KV. */
  machine?: true;
};

export const keyed = () => ({ headers: { "Idempotency-Key": `fault-${unique()}` } });

export function reads(name: string, path: () => string, as = () => world.doctor): Route {
  return {
    name,
    status: 200,
    retry: "any",
    attempt: async () => ({ send: (faulty) => ask(path(), { as: as(), env: faulty }) }),
  };
}

export const samplesOf = async (patientId: string): Promise<number> => {
  const query = { codes: null, from: 0, to: Date.now() + 60_000, limit: 100, after: null };
  return (await env.PATIENT_MONITOR.getByName(patientId).history(query)).samples.length;
};

export const count = async (statement: D1PreparedStatement): Promise<number> => (await statement.first<{ n: number }>())?.n ?? -1;
