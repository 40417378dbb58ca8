// The hospital whose requests meet faults, and the form of a route of the main job.
import {
  env,
  newDevice,
  newPdf,
  newWard,
  newWorld,
  readJson,
  sendRequest,
  uniqueText,
  uploadReport,
  type World,
} from "../world.ts";
import { createMonitoredPatient, type MonitoredPatient } from "./monitored-patient.ts";

export let world: World;
export let device: { id: string; token: string };
export let reportId: string;
export let wardId: string;
export let monitoredPatient: MonitoredPatient;

/** Everything that routes may name; created once, before the first of them. */
export async function setUpWorld(): Promise<void> {
  world = await newWorld();
  device = await newDevice(world.nurse, world.patient.id);
  const sent = await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id, metrics: '{"heart_rate":70}' });
  reportId = (await readJson(sent)).data.report_id;
  wardId = await newWard(world.manager);
  monitoredPatient = await createMonitoredPatient(world, wardId);
}

/** One request that can be retried unchanged: same body, same key. */
export type RepeatableRequest = { send(env: Env): Promise<Response>; effects?(): Promise<number> };
export type FaultCase = {
  name: string;
  status: number;
  attempt(): Promise<RepeatableRequest>;
  retry: "once" | "any" | "none";
  /** The status of a retry after a lost success; 412 by default. */
  used?: number;
  /** The audit event of an effect outside D1: its begin is recorded before the effect, itself after it. */
  event?: string;
  /** Audited per device, patient and day. */
  withoutEvent?: true;
  /** Responds even if an object does not. */
  withoutObjects?: true;
  /** Notifies objects before it responds (change-delivery.ts, live-views.ts); if that fails, cron does it, and the change stands. */
  notifies?: true;
  /** Rate limits of devices, apps and refreshes are counted locally: without KV. */
  withoutKv?: true;
};

export const withNewKey = () => ({ headers: { "Idempotency-Key": `fault-${uniqueText()}` } });

export function readCase(name: string, path: () => string, as = () => world.doctor): FaultCase {
  return {
    name,
    status: 200,
    retry: "any",
    attempt: async () => ({ send: (faulty) => sendRequest(path(), { as: as(), env: faulty }) }),
  };
}

export const countSamples = async (patientId: string): Promise<number> => {
  const query = { codes: null, from: 0, to: Date.now() + 60_000, limit: 100, after: null };
  return (await env.PATIENT_MONITOR.getByName(patientId).history(query)).samples.length;
};

export const queryCount = async (statement: D1PreparedStatement): Promise<number> =>
  (await statement.first<{ n: number }>())?.n ?? -1;
