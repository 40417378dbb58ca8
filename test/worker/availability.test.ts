// Availability: places, rules, schedules, exceptions and the free times that follow from them.
import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { pruneAvailability } from "../../src/care/jobs/availability.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { zoneOffsetMs } from "../../src/platform/local-time.ts";
import { book, DAY_MS, HOUR_MS, hourAhead, iso, MINUTE_MS, newBookable, postBooking, setRules } from "../appointment-steps.ts";
import { newPractitionerRow } from "../care-rows.ts";
import { withRandomDelays } from "../stores.ts";
import {
  API,
  env,
  link,
  newPerson,
  newWorld,
  type Person,
  type RequestOptions,
  readJson,
  sendRequest,
  uniqueText,
  type World,
} from "../world.ts";

let world: World;
let practitionerId: string;
beforeEach(async () => {
  world = await newWorld();
  practitionerId = await newBookable(world);
});

const get = (as: Person, path: string) => sendRequest(API + path, { as });
const put = (as: Person, path: string, json: object, options: RequestOptions = {}) =>
  sendRequest(API + path, { as, method: "PUT", json, ...options });
const post = (as: Person, path: string, json: object) => sendRequest(API + path, { as, json });
const dataOf = async (response: Response) => (await readJson(response)).data;
const schedulesPath = () => `/practitioners/${practitionerId}/availability`;
const ifMatch = (version: number) => ({ headers: { "If-Match": `"${version}"` } });
const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7].map((day) => [day, 540, 720]);

describe("places and rules", () => {
  it("are the hospital's: names are unique, and managers alone change them", async () => {
    const name = `Clinic ${uniqueText()}`;
    const created = await post(world.manager, "/locations", { name });
    expect(created.status, await created.clone().text()).toBe(201);
    const { location_id: id } = await dataOf(created);
    expect((await post(world.manager, "/locations", { name })).status).toBe(409);
    expect((await post(world.nurse, "/locations", { name: uniqueText() })).status).toBe(403);
    expect((await get(world.nurse, `/locations/${id}`)).status).toBe(200);
    const elsewhere = await newWorld();
    expect((await get(elsewhere.nurse, `/locations/${id}`)).status).toBe(404);
    const path = `/locations/${id}`;
    const change = (as: Person) =>
      sendRequest(API + path, { as, method: "PATCH", json: { is_active: false }, headers: { "If-Match": '"1"' } });
    expect((await change(elsewhere.manager)).status).toBe(404);
    expect(await dataOf(await change(world.manager))).toMatchObject({ is_active: false, version: 2 });
    expect((await change(world.manager)).status).toBe(412);
    const listed = (await dataOf(await get(world.nurse, "/locations?active=false"))) as { location_id: string }[];
    expect(listed.map((location) => location.location_id)).toEqual([id]);
  });

  it("have defaults until a manager sets them, one at a time", async () => {
    const path = `/hospitals/${world.hospitalId}/care-settings`;
    const { hospital_id: _, version, ...rules } = await dataOf(await get(world.nurse, path));
    expect([version, rules.self_booking]).toEqual([0, "request"]);
    const wanted = { ...rules, self_booking: "direct", noshow_after_minutes: null };
    expect((await put(world.nurse, path, wanted)).status).toBe(403);
    const slow = { env: withRandomDelays(env) };
    const statuses = await Promise.all([1, 2, 3, 4].map(async () => (await put(world.manager, path, wanted, slow)).status));
    expect(statuses.sort()).toEqual([200, 412, 412, 412]);
    expect(await dataOf(await get(world.doctor, path))).toMatchObject({ ...wanted, version: 1 });
    expect((await put(world.manager, path, wanted)).status).toBe(412);
    expect((await dataOf(await put(world.manager, path, rules, ifMatch(1)))).version).toBe(2);
    expect((await put(world.manager, path, { ...rules, lead_minutes: -1 }, ifMatch(2))).status).toBe(400);
  });
});

describe("schedules", () => {
  it("are replaced as a whole, by the practitioner or a manager, and of two at once one counts", async () => {
    const schedules = [{ weekly: EVERY_DAY, slot_minutes: 20 }];
    const other = await newPerson("doctor", world.hospitalId);
    expect((await put(other, schedulesPath(), { schedules })).status).toBe(404);
    expect((await put(world.nurse, schedulesPath(), { schedules })).status).toBe(404);
    const slow = { env: withRandomDelays(env) };
    const first = await Promise.all(
      [1, 2, 3].map(async () => (await put(world.doctor, schedulesPath(), { schedules }, slow)).status),
    );
    expect(first.sort()).toEqual([200, 412, 412]);
    const again = await Promise.all(
      [1, 2, 3].map(async () => (await put(world.manager, schedulesPath(), { schedules }, { ...slow, ...ifMatch(1) })).status),
    );
    expect(again.sort()).toEqual([200, 412, 412]);
    const kept = await dataOf(await get(world.nurse, schedulesPath()));
    expect(kept).toMatchObject({ version: 2, schedules: [{ weekly: EVERY_DAY, slot_minutes: 20, bookable_by: "patients" }] });
    for (const weekly of [[[8, 0, 60]], [[1, 60, 60]], [[1, 0, 1441]], [[1, 3, 60]], []])
      expect((await put(world.doctor, schedulesPath(), { schedules: [{ weekly }] }, ifMatch(2))).status).toBe(400);
    const elsewhere = await newWorld();
    const place = await dataOf(await post(elsewhere.manager, "/locations", { name: uniqueText() }));
    const foreign = [{ weekly: EVERY_DAY, location_id: place.location_id }];
    expect((await put(world.doctor, schedulesPath(), { schedules: foreign }, ifMatch(2))).status).toBe(400);
  });

  it("lose to leave and closures, which list what is booked within them and end with their deletion", async () => {
    const start = hourAhead();
    const wanted = { patient_id: world.patient.id, practitioner_id: practitionerId, start: iso(start) };
    const booked = await book(world.nurse, wanted);
    const span = { from: iso(start - HOUR_MS), until: iso(start + 3 * HOUR_MS), note: "Conference" };
    const leave = await dataOf(await post(world.doctor, `${schedulesPath()}/exceptions`, { kind: "leave", ...span }));
    expect(leave).toMatchObject({ kind: "leave", note: "Conference", conflicting: [booked.appointment_id] });
    expect((await postBooking(world.nurse, { ...wanted, start: iso(start + HOUR_MS) })).status).toBe(409);
    const person = await newPerson("patient");
    await link(person, world.patient);
    expect(await (await get(person, schedulesPath())).text()).not.toContain("Conference");
    const path = `${API}${schedulesPath()}/exceptions/${leave.exception_id}`;
    expect((await sendRequest(path, { as: world.nurse, method: "DELETE" })).status).toBe(404);
    expect((await sendRequest(path, { as: world.doctor, method: "DELETE" })).status).toBe(200);
    expect((await sendRequest(path, { as: world.doctor, method: "DELETE" })).status).toBe(404);
    const closures = `/hospitals/${world.hospitalId}/closures`;
    expect((await post(world.doctor, closures, span)).status).toBe(403);
    const closure = await dataOf(await post(world.manager, closures, span));
    expect(closure.conflicting).toEqual([booked.appointment_id]);
    expect((await postBooking(world.nurse, { ...wanted, start: iso(start + HOUR_MS) })).status).toBe(409);
    await sendRequest(`${API}${closures}/${closure.exception_id}`, { as: world.manager, method: "DELETE" });
    expect((await postBooking(world.nurse, { ...wanted, start: iso(start + HOUR_MS) })).status).toBe(201);
    for (const change of [{ from: span.until, until: span.from }, { until: iso(start + 500 * DAY_MS) }, { kind: "closed" }])
      expect((await post(world.doctor, `${schedulesPath()}/exceptions`, { kind: "leave", ...span, ...change })).status).toBe(400);
  });

  it("that change while somebody books win or lose as a whole", async () => {
    const slow = withRandomDelays(env);
    const start = hourAhead();
    const wanted = { patient_id: world.patient.id, practitioner_id: practitionerId, start: iso(start) };
    for (let round = 0; round < 6; round++) {
      const at = iso(start + round * HOUR_MS);
      const span = { kind: "leave", from: at, until: iso(start + (round + 1) * HOUR_MS) };
      const [booked, leave] = await Promise.all([
        postBooking(world.nurse, { ...wanted, start: at }, { env: slow }),
        sendRequest(`${API}${schedulesPath()}/exceptions`, { as: world.doctor, json: span, env: slow }),
      ]);
      const { conflicting } = await dataOf(leave);
      // Booked before the leave, which then lists it, or refused: never booked into leave that does not know of it.
      expect(conflicting).toHaveLength(booked.status === 201 ? 1 : 0);
    }
  });

  it("are forgotten long after their exceptions ended", async () => {
    const db = getDb(env.DB);
    const { exception_id: id } = await dataOf(
      await post(world.doctor, `${schedulesPath()}/exceptions`, {
        kind: "leave",
        from: iso(hourAhead()),
        until: iso(hourAhead(1)),
      }),
    );
    for (const statement of pruneAvailability(db, Date.now())) await statement;
    const left = () => db.all(sql`SELECT 1 FROM schedule_exceptions WHERE id = ${id}`);
    expect(await left()).toHaveLength(1);
    for (const statement of pruneAvailability(db, Date.now() + 410 * DAY_MS)) await statement;
    expect(await left()).toHaveLength(0);
  });
});

describe("free times", () => {
  const slots = async (as: Person, query: string) =>
    (await dataOf(await get(as, `/appointments/slots?${query}`))) as { start: string; practitioner_id: string }[];

  it("are those that a walk in steps of five minutes finds, over a change of clocks", async () => {
    const zone = "Europe/Berlin";
    await getDb(env.DB).run(sql`UPDATE hospitals SET time_zone = ${zone} WHERE id = ${world.hospitalId}`);
    const year = new Date().getUTCFullYear() + 1;
    const from = Date.UTC(year, 2, 20);
    const until = from + 14 * DAY_MS;
    await put(world.doctor, schedulesPath(), { schedules: [{ weekly: EVERY_DAY, slot_minutes: 30, buffer_after: 10 }] });
    const taken = [from + 9 * HOUR_MS, from + 10 * DAY_MS + 8 * HOUR_MS + 30 * MINUTE_MS];
    for (const at of taken)
      await book(world.nurse, { patient_id: world.patient.id, practitioner_id: practitionerId, start: iso(at) });
    const found = await slots(world.nurse, `from=${iso(from)}&to=${iso(until)}&practitioner_id=${practitionerId}&limit=1000`);
    const expected: string[] = [];
    for (let at = from; at < until; at += 5 * MINUTE_MS) {
      const local = new Date(at + zoneOffsetMs(at, zone));
      const minute = local.getUTCHours() * 60 + local.getUTCMinutes();
      const isStep = minute >= 540 && minute + 30 <= 720 && (minute - 540) % 30 === 0;
      const isFree = taken.every((busy) => at + 40 * MINUTE_MS <= busy || at >= busy + 40 * MINUTE_MS);
      if (isStep && isFree) expected.push(iso(at));
    }
    expect(found.map(({ start }) => start)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(70);
  });

  it("are for patients those of the hospital's rules, and none where they do not book", async () => {
    const person = await newPerson("patient");
    await link(person, world.patient);
    const query = `from=${iso(Date.now())}&to=${iso(Date.now() + 20 * DAY_MS)}&practitioner_id=${practitionerId}&limit=1000`;
    await setRules(world.hospitalId, { selfBooking: "direct", leadMinutes: 24 * 60, windowDays: 2 });
    const own = await slots(person, query);
    expect(Date.parse(own[0]?.start ?? "")).toBeGreaterThanOrEqual(Date.now() + 23 * HOUR_MS);
    expect(Date.parse(own.at(-1)?.start ?? "")).toBeLessThanOrEqual(Date.now() + 2 * DAY_MS);
    expect((await slots(world.nurse, query)).length).toBeGreaterThan(own.length);
    const [first] = own;
    expect((await postBooking(person, { practitioner_id: practitionerId, start: first?.start })).status).toBe(201);
    expect((await slots(person, query))[0]?.start).not.toBe(first?.start);
    await setRules(world.hospitalId, { selfBooking: "off" });
    expect(await slots(person, query)).toEqual([]);
  });

  it("are paged, bounded, and of the practitioners whom the caller sees", async () => {
    const second = await newPractitionerRow(world.nurse.id, world.hospitalId);
    await getDb(env.DB).run(sql`UPDATE practitioners SET specialty = 'Cardiology' WHERE id = ${second}`);
    await put(world.nurse, `/practitioners/${second}/availability`, { schedules: [{ weekly: EVERY_DAY }] });
    const span = `from=${iso(Date.now() + DAY_MS)}&to=${iso(Date.now() + 3 * DAY_MS)}`;
    const both = await slots(world.nurse, `${span}&limit=1000`);
    expect(new Set(both.map(({ practitioner_id }) => practitioner_id))).toEqual(new Set([practitionerId, second]));
    const onlyOne = await slots(world.nurse, `${span}&specialty=Cardiology&limit=1000`);
    expect(new Set(onlyOne.map(({ practitioner_id }) => practitioner_id))).toEqual(new Set([second]));
    const paged: unknown[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: { data: unknown[]; meta: { pagination: { next_cursor: string | null } } } = await readJson(
        await get(world.nurse, `/appointments/slots?${span}&limit=30${cursor && `&cursor=${encodeURIComponent(cursor)}`}`),
      );
      paged.push(...page.data);
      cursor = page.meta.pagination.next_cursor;
    }
    expect(paged).toEqual(both);
    const elsewhere = await newWorld();
    expect(await slots(elsewhere.nurse, `${span}&practitioner_id=${practitionerId}`)).toEqual([]);
    for (const wrong of [
      `from=${iso(Date.now())}&to=${iso(Date.now() + 32 * DAY_MS)}`,
      `from=${iso(Date.now())}&to=${iso(Date.now() - 1)}`,
    ])
      expect((await get(world.nurse, `/appointments/slots?${wrong}`)).status).toBe(400);
  });
});
