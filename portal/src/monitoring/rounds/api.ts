// API calls for observations due and pauses.
import { hc } from "hono/client";
import type { roundRoutes } from "../../../../src/monitoring/rounds/routes.ts";
import type { boardRoutes } from "../../../../src/organization/wards/board-routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData } from "../../platform/api/client.ts";

const wardApi = hc<typeof boardRoutes>(API_BASE, CLIENT_OPTIONS);
const roundApi = hc<typeof roundRoutes>(API_BASE, CLIENT_OPTIONS);

export const readObservationsDue = (ward_id: string) =>
  readData(wardApi.wards[":ward_id"]["observations-due"].$get({ param: { ward_id } }));

const pauseApi = roundApi.patients[":patient_id"]["observation-pause"];
export type NewPause = Parameters<(typeof pauseApi)["$put"]>[0]["json"];
export const pauseObservations = (patient_id: string, json: NewPause) => readData(pauseApi.$put({ param: { patient_id }, json }));
export const endPause = (patient_id: string) => readData(pauseApi.$delete({ param: { patient_id } }));
