// In the authorization matrix, of availability: ids, requests, and what an allowed call consumes.
import { uuidv7 } from "../src/platform/ids.ts";
import type { AuthzFixture, IdsOwner, ResourceIds, RouteBodies, RouteQueries, TestCaller } from "./authz.world.ts";
import { newLocationRow, newScheduleRow } from "./care-rows.ts";
import { API, env, type Person, readJson, sendRequest, uniqueText } from "./world.ts";

const DAY_MS = 86_400_000;

/** Members whose names end with `Id` are random in requests about what does not exist. */
export type CareIdsA = {
  /** A place of the hospital. */
  locationId: string;
  /** Leave of the practitioner; cells about closures get one. */
  exceptionId: string;
};

const spanAhead = () => {
  const from = Date.now() + 200 * DAY_MS;
  return { from: new Date(from).toISOString(), until: new Date(from + DAY_MS).toISOString() };
};

async function newException(manager: Person, path: string, json: object): Promise<string> {
  return (await readJson(await sendRequest(API + path, { as: manager, json }))).data.exception_id;
}
const newLeave = (manager: Person, practitionerId: string) =>
  newException(manager, `/practitioners/${practitionerId}/availability/exceptions`, { kind: "leave", ...spanAhead() });

const managers = new Map<string, Person>();

export const newCareIdsA = async ({ hospitalId, manager, practitionerId }: IdsOwner): Promise<CareIdsA> => {
  managers.set(hospitalId, manager);
  await newScheduleRow(practitionerId, hospitalId);
  return { locationId: await newLocationRow(hospitalId, manager.id), exceptionId: await newLeave(manager, practitionerId) };
};

const RULES = {
  self_booking: "request",
  lead_minutes: 60,
  window_days: 60,
  cancel_until_minutes: 120,
  max_open_own: 50,
  proposal_minutes: 1440,
  offer_minutes: 30,
  noshow_after_minutes: 30,
};

export const CARE_BODIES_A: RouteBodies = {
  "POST /api/v1/locations": (handle, { role }) => ({
    json: { name: `Clinic ${uniqueText()}`, ...(role === "admin" && { hospital_id: handle.hospitalId }) },
  }),
  "PATCH /api/v1/locations/:location_id": () => ({ json: { name: `Clinic ${uniqueText()}` }, headers: { "If-Match": "*" } }),
  "PUT /api/v1/hospitals/:hospital_id/care-settings": () => ({ json: RULES, headers: { "If-Match": "*" } }),
  "POST /api/v1/hospitals/:hospital_id/closures": () => ({ json: spanAhead() }),
  "PUT /api/v1/practitioners/:practitioner_id/availability": () => ({
    json: { schedules: [{ weekly: [1, 2, 3, 4, 5, 6, 7].map((day) => [day, 0, 1440]) }] },
    headers: { "If-Match": "*" },
  }),
  "POST /api/v1/practitioners/:practitioner_id/availability/exceptions": () => ({ json: { kind: "leave", ...spanAhead() } }),
};

export const CARE_QUERIES_A: RouteQueries = {
  "GET /api/v1/appointments/slots": () => {
    const from = Date.now() + DAY_MS;
    return `?from=${new Date(from).toISOString()}&to=${new Date(from + DAY_MS).toISOString()}`;
  },
};

/** @returns null for a route of which nothing is renewed here */
export const renewCareA = async (
  route: string,
  handle: ResourceIds,
  _stage: AuthzFixture,
  _player: TestCaller,
): Promise<ResourceIds | null> => {
  if (!route.startsWith("DELETE") || !route.includes(":exception_id")) return null;
  const manager = managers.get(handle.hospitalId);
  // Ids of what does not exist.
  if (!manager || !(await isPractitioner(handle.practitionerId))) return { ...handle, exceptionId: uuidv7() };
  const exceptionId = route.includes("closures")
    ? await newException(manager, `/hospitals/${handle.hospitalId}/closures`, spanAhead())
    : await newLeave(manager, handle.practitionerId);
  return { ...handle, exceptionId };
};

const isPractitioner = (id: string) => env.DB.prepare("SELECT 1 FROM practitioners WHERE id = ?").bind(id).first();
