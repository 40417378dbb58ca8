// Faults in availability.
import { newBookable } from "../appointment-steps.ts";
import { newLocationRow } from "../care-rows.ts";
import {
  API,
  env,
  newHospital,
  newPerson,
  newWorld,
  type RequestOptions,
  readJson,
  sendRequest,
  uniqueText,
  type World,
} from "../world.ts";
import { RULES } from "./budgets-care-a.ts";
import { type FaultCase, queryCount, readCase, withNewKey, world } from "./faults-world.ts";

const DAY_MS = 86_400_000;
let own: World;
let practitionerId: string;
let made: Promise<void> | undefined;
const makeWorld = () =>
  (made ??= newWorld().then(async (found) => {
    own = found;
    practitionerId = await newBookable(own);
  }));
const span = () => ({
  from: new Date(Date.now() + 90 * DAY_MS).toISOString(),
  until: new Date(Date.now() + 91 * DAY_MS).toISOString(),
});
const count = (from: string, id: string) =>
  // biome-ignore lint/plugin: a constant of this file with a placeholder.
  queryCount(env.DB.prepare(`SELECT count(*) AS n FROM ${from}`).bind(id));
const readOwn = (name: string, path: () => string): FaultCase => ({
  name,
  status: 200,
  retry: "any",
  async attempt() {
    await makeWorld();
    return { send: (faulty) => sendRequest(API + path(), { as: own.manager, env: faulty }) };
  },
});

type Arranged = { path: string; effects: () => Promise<number> } & RequestOptions;
const writeCase = (
  name: string,
  status: number,
  retry: FaultCase["retry"],
  used: number | null,
  arrange: () => Promise<Arranged>,
): FaultCase => ({
  ...{ name, status, retry },
  ...(used !== null && { used }),
  async attempt() {
    await makeWorld();
    const { path, effects, ...options } = await arrange();
    return { send: (faulty) => sendRequest(API + path, { as: own.manager, method: "POST", ...options, env: faulty }), effects };
  },
});

const exceptionsPath = () => `/practitioners/${practitionerId}/availability/exceptions`;
const closuresPath = () => `/hospitals/${own.hospitalId}/closures`;

/** An addition without a key: a repetition adds another. */
const addCase = (name: string, path: () => string, json: () => object): FaultCase => ({
  name,
  status: 201,
  retry: "any",
  async attempt() {
    await makeWorld();
    return { send: (faulty) => sendRequest(API + path(), { as: own.manager, json: json(), env: faulty }) };
  },
});

const removeCase = (name: string, path: () => string, json: () => object): FaultCase =>
  writeCase(name, 200, "none", 404, async () => {
    const { data } = await readJson(await sendRequest(API + path(), { as: own.manager, json: json() }));
    const id: string = data.exception_id;
    const effects = async () => 1 - (await count("schedule_exceptions WHERE id = ?", id));
    return { path: `${path()}/${id}`, method: "DELETE", effects };
  });

export const careA: FaultCase[] = [
  readOwn("GET /locations", () => "/locations"),
  {
    name: "GET /locations/{id}",
    status: 200,
    retry: "any",
    async attempt() {
      const id = await newLocationRow(world.hospitalId, world.manager.id);
      return { send: (faulty) => sendRequest(`${API}/locations/${id}`, { as: world.nurse, env: faulty }) };
    },
  },
  writeCase("POST /locations", 201, "once", null, async () => {
    const name = uniqueText();
    return { path: "/locations", json: { name }, ...withNewKey(), effects: () => count("locations WHERE name = ?", name) };
  }),
  writeCase("PATCH /locations/{id}", 200, "none", null, async () => {
    const id = await newLocationRow(own.hospitalId, own.manager.id);
    const name = uniqueText();
    const options = { method: "PATCH", json: { name }, headers: { "If-Match": '"1"' } };
    return { path: `/locations/${id}`, ...options, effects: () => count("locations WHERE name = ?", name) };
  }),
  readOwn("GET /hospitals/{id}/care-settings", () => `/hospitals/${own.hospitalId}/care-settings`),
  writeCase("PUT /hospitals/{id}/care-settings", 200, "none", 412, async () => {
    const id = await newHospital();
    const as = await newPerson("hospital_admin", id);
    const effects = () => count("care_settings WHERE hospital_id = ?", id);
    return { path: `/hospitals/${id}/care-settings`, method: "PUT", as, json: RULES, effects };
  }),
  readOwn("GET /practitioners/{id}/availability", () => `/practitioners/${practitionerId}/availability`),
  writeCase("PUT /practitioners/{id}/availability", 200, "none", 412, async () => {
    const place = await newWorld();
    const id = await newBookable(place);
    const json = { schedules: [{ weekly: [[1, 0, 60]], slot_minutes: 20 }] };
    const effects = () => count("schedules WHERE slot_minutes = 20 AND practitioner_id = ?", id);
    return { path: `/practitioners/${id}/availability`, method: "PUT", as: place.manager, json, effects };
  }),
  addCase("POST /practitioners/{id}/availability/exceptions", exceptionsPath, () => ({ kind: "leave", ...span() })),
  removeCase("DELETE /practitioners/{id}/availability/exceptions/{id}", exceptionsPath, () => ({ kind: "leave", ...span() })),
  addCase("POST /hospitals/{id}/closures", closuresPath, span),
  removeCase("DELETE /hospitals/{id}/closures/{id}", closuresPath, span),
  readCase("GET /appointments/slots", () => {
    const from = Date.now();
    return `${API}/appointments/slots?from=${new Date(from).toISOString()}&to=${new Date(from + DAY_MS).toISOString()}`;
  }),
];
