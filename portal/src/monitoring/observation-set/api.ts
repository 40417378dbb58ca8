// API call that files a set of observations.
import { hc } from "hono/client";
import type { roundRoutes } from "../../../../src/monitoring/rounds/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData } from "../../platform/api/client.ts";
import type { SetBody } from "./set-draft.ts";

const sets = hc<typeof roundRoutes>(API_BASE, CLIENT_OPTIONS).patients[":patient_id"]["observation-sets"];

/** @param key idempotency key of the set: a set whose answer was lost is stored once */
export const postSet = (patientId: string, key: string, json: SetBody, signal: AbortSignal) =>
  readData(sets.$post({ param: { patient_id: patientId }, header: { "idempotency-key": key }, json }, { init: { signal } }));
export type FiledSet = Awaited<ReturnType<typeof postSet>>;
