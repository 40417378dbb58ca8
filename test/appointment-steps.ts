// Steps of tests about appointments: a practitioner who can be booked, and requests.
import { sql } from "drizzle-orm";
import { getDb } from "../src/platform/db/client.ts";
import { careSettings } from "../src/platform/db/schema.ts";
import { newPractitionerRow, newScheduleRow } from "./care-rows.ts";
import { API, env, type Person, type RequestOptions, readJson, sendRequest, type World } from "./world.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** A whole hour, at least a day ahead. */
export const hourAhead = (hours = 0): number => Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + DAY_MS + hours * HOUR_MS;
export const iso = (time: number): string => new Date(time).toISOString();

/** The doctor of the world with a profile, whom patients may book at all times. */
export async function newBookable(world: World): Promise<string> {
  const practitionerId = await newPractitionerRow(world.doctor.id, world.hospitalId);
  await newScheduleRow(practitionerId, world.hospitalId);
  return practitionerId;
}

export const setRules = (hospitalId: string, rules: Partial<typeof careSettings.$inferInsert>) =>
  getDb(env.DB)
    .insert(careSettings)
    .values({ hospitalId, updatedBy: "test", updatedAt: Date.now(), ...rules })
    .onConflictDoUpdate({ target: careSettings.hospitalId, set: rules });

export const postBooking = (as: Person | { token: string }, json: object, options: RequestOptions = {}) =>
  sendRequest(`${API}/appointments`, { as, json, ...options });

export type Booked = { appointment_id: string; version: number; status: string; start: string; end: string };

export async function book(as: Person | { token: string }, json: object): Promise<Booked> {
  const response = await postBooking(as, json);
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  return (await readJson(response)).data;
}

export const step = (as: Person, id: string, name: string, json?: object, version?: number) =>
  sendRequest(`${API}/appointments/${id}/${name}`, {
    as,
    method: "POST",
    ...(json && { json }),
    ...(version !== undefined && { headers: { "If-Match": `"${version}"` } }),
  });

export const statusOf = async (response: Response): Promise<string | number> =>
  response.ok ? (await readJson(response)).data.status : (await readJson(response)).code;

/** Pairs of appointments of a practitioner whose blocked times intersect although neither is overbooked. */
export async function countOverlaps(practitionerId: string, now = Date.now()): Promise<number> {
  const [row] = await getDb(env.DB).all<{ n: number }>(sql`SELECT count(*) AS n FROM appointments a JOIN appointments b
    ON b.practitioner_id = a.practitioner_id AND a.id < b.id AND a.blocked_from < b.blocked_until AND b.blocked_from < a.blocked_until
    WHERE a.practitioner_id = ${practitionerId} AND a.holds = 1 AND b.holds = 1 AND a.overbooked = 0 AND b.overbooked = 0
      AND NOT (a.status = 'proposed' AND a.expires_at <= ${now}) AND NOT (b.status = 'proposed' AND b.expires_at <= ${now})`);
  return row?.n ?? -1;
}

let taken = 0;
/** A half hour within the next two months that no other test of the file has: each call another one. */
export const nextFreeTime = (): number => hourAhead(48) + (taken++ % 2_500) * 30 * MINUTE_MS;
