// Appointments: booking that cannot double, the hospital's rules, states, moves, and what each role sees.
import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { getDb } from "../../src/platform/db/client.ts";
import {
  type Booked,
  book,
  countOverlaps,
  HOUR_MS,
  hourAhead,
  iso,
  MINUTE_MS,
  newBookable,
  postBooking,
  setRules,
  statusOf,
  step,
} from "../appointment-steps.ts";
import { newLocationRow, newPractitionerRow, newScheduleRow } from "../care-rows.ts";
import { newGuardianship } from "../guardian-rows.ts";
import { withRandomDelays } from "../stores.ts";
import {
  API,
  env,
  link,
  newPatient,
  newPerson,
  newWorld,
  type Person,
  readAuditEvents,
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

const wanted = (start: number, change: object = {}) => ({
  patient_id: world.patient.id,
  practitioner_id: practitionerId,
  start: iso(start),
  ...change,
});
const get = (as: Person, id: string) => sendRequest(`${API}/appointments/${id}`, { as });
const codeOf = async (response: Response) => [response.status, (await readJson(response)).code];

async function newOwner(): Promise<Person> {
  const person = await newPerson("patient");
  await link(person, world.patient);
  return person;
}

describe("booking", () => {
  it("gives one slot to one of a hundred at once", async () => {
    const patients = await Promise.all(Array.from({ length: 4 }, () => newPatient(world.hospitalId, world.nurse)));
    const start = hourAhead();
    const slow = withRandomDelays(env);
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const patient_id = patients[i % 4]?.id;
        return statusOf(await postBooking(world.nurse, wanted(start, { patient_id }), { env: slow }));
      }),
    );
    expect(answers.filter((answer) => answer === "booked")).toHaveLength(1);
    expect(answers.filter((answer) => answer === "slot_taken")).toHaveLength(99);
    expect(await countOverlaps(practitionerId)).toBe(0);
  });

  it("lets no times of a practitioner overlap, whatever a hundred book at once", async () => {
    const from = hourAhead();
    const slow = withRandomDelays(env);
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const start = from + ((i * 7) % 24) * 10 * MINUTE_MS;
        const duration_minutes = [10, 25, 45, 60][i % 4];
        return statusOf(await postBooking(world.nurse, wanted(start, { duration_minutes }), { env: slow }));
      }),
    );
    const booked = answers.filter((answer) => answer === "booked").length;
    expect(booked).toBeGreaterThan(1);
    expect(answers.filter((answer) => answer === "slot_taken")).toHaveLength(100 - booked);
    expect(await countOverlaps(practitionerId)).toBe(0);
  });

  it("doubles without the trigger, as a check before the insert would (the known-bad twin)", async () => {
    const trigger = await env.DB.prepare("SELECT sql FROM sqlite_master WHERE name = 'appointment_overlap_insert'").first<string>(
      "sql",
    );
    await env.DB.exec("DROP TRIGGER appointment_overlap_insert");
    try {
      const start = hourAhead();
      const naive = async () => {
        const free = await getDb(env.DB).all(sql`SELECT 1 FROM appointments WHERE practitioner_id = ${practitionerId}
          AND holds = 1 AND blocked_from < ${start + 30 * MINUTE_MS} AND blocked_until > ${start}`);
        return free.length === 0 ? statusOf(await postBooking(world.nurse, wanted(start))) : "slot_taken";
      };
      const answers = await Promise.all(Array.from({ length: 10 }, naive));
      expect(answers.filter((answer) => answer === "booked").length).toBeGreaterThan(1);
    } finally {
      await env.DB.exec("DELETE FROM appointments");
      await env.DB.exec(String(trigger).replaceAll("\n", " "));
    }
  });

  it("takes times that meet, and keeps the buffers of the schedule free", async () => {
    const start = hourAhead();
    await book(world.nurse, wanted(start));
    await book(world.nurse, wanted(start + 30 * MINUTE_MS));
    await getDb(env.DB).run(sql`UPDATE schedules SET buffer_after = 10 WHERE practitioner_id = ${practitionerId}`);
    await book(world.nurse, wanted(start + 2 * HOUR_MS));
    expect(await codeOf(await postBooking(world.nurse, wanted(start + 150 * MINUTE_MS)))).toEqual([409, "slot_taken"]);
    expect((await postBooking(world.nurse, wanted(start + 160 * MINUTE_MS))).status).toBe(201);
  });

  it("of a taken time needs a reason and the permission, and says so ever after", async () => {
    const start = hourAhead();
    await book(world.nurse, wanted(start));
    const overbook_reason = "Urgent; agreed on the phone";
    expect((await postBooking(world.nurse, wanted(start, { overbook_reason }))).status).toBe(403);
    expect((await postBooking(world.doctor, wanted(start, { overbook_reason: "short" }))).status).toBe(400);
    const response = await postBooking(world.doctor, wanted(start, { overbook_reason }));
    const { data } = await readJson(response.clone());
    expect(data).toMatchObject({ overbooked: true, overbook_reason });
    const events = await readAuditEvents(response.headers.get("X-Request-Id") ?? "");
    expect(events.map(({ event }) => event).sort()).toEqual(["appointment.create", "appointment.overbook"]);
    expect(await countOverlaps(practitionerId)).toBe(0);
  });

  it("is refused outside of open times, for a practitioner elsewhere, and at a place of another hospital", async () => {
    const elsewhere = await newWorld();
    const other = await newBookable(elsewhere);
    expect(await codeOf(await postBooking(world.nurse, wanted(hourAhead(), { practitioner_id: other })))).toEqual([
      409,
      "not_bookable",
    ]);
    const place = await newLocationRow(elsewhere.hospitalId, elsewhere.nurse.id);
    expect((await postBooking(world.nurse, wanted(hourAhead(), { location_id: place }))).status).toBe(400);
    await getDb(env.DB).run(sql`DELETE FROM schedules WHERE practitioner_id = ${practitionerId}`);
    await newScheduleRow(practitionerId, world.hospitalId, {
      weekly: "[[1,0,1],[2,0,1],[3,0,1],[4,0,1],[5,0,1],[6,0,1],[7,0,1]]",
    });
    expect(await codeOf(await postBooking(world.nurse, wanted(hourAhead())))).toEqual([409, "not_bookable"]);
    for (const change of [
      { duration_minutes: 7 },
      { duration_minutes: 500 },
      { start: "2026-12-01T10:00:30Z" },
      { start: "soon" },
    ])
      expect((await postBooking(world.nurse, wanted(hourAhead(), change))).status).toBe(400);
    expect((await postBooking(world.nurse, wanted(hourAhead(-80)))).status).toBe(409);
  });

  it("is repeated by its key, and not doubled", async () => {
    const headers = { "Idempotency-Key": uniqueText() };
    const json = wanted(hourAhead());
    const [first, second] = [
      await postBooking(world.nurse, json, { headers }),
      await postBooking(world.nurse, json, { headers }),
    ];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect((await readJson(second)).data.appointment_id).toBe((await readJson(first)).data.appointment_id);
  });
});

describe("a patient", () => {
  it("asks for a time by default, which staff confirm; it is free again when nobody did", async () => {
    const person = await newOwner();
    const asked = await book(person, { practitioner_id: practitionerId, start: iso(hourAhead()), reason: "Check" });
    expect(asked.status).toBe("proposed");
    expect(await codeOf(await postBooking(world.nurse, wanted(hourAhead())))).toEqual([409, "slot_taken"]);
    expect(await statusOf(await step(person, asked.appointment_id, "confirm"))).toBe("forbidden");
    expect(await statusOf(await step(world.nurse, asked.appointment_id, "confirm"))).toBe("booked");
    await setRules(world.hospitalId, { cancelUntilMinutes: 30 * 24 * 60 });
    const withdrawn = await book(person, { practitioner_id: practitionerId, start: iso(hourAhead(1)) });
    expect(await statusOf(await step(person, withdrawn.appointment_id, "cancel", {}))).toBe("cancelled");
    expect(await statusOf(await step(person, asked.appointment_id, "cancel", {}))).toBe("conflict");
    const second = await book(person, { practitioner_id: practitionerId, start: iso(hourAhead(2)) });
    await getDb(env.DB).run(sql`UPDATE appointments SET expires_at = 1 WHERE id = ${second.appointment_id}`);
    const shown = (await readJson(await get(person, second.appointment_id))).data;
    expect(shown).toMatchObject({ status: "cancelled", cancel_reason: "expired", legacy_status: "cancelled" });
    expect(await statusOf(await step(world.nurse, second.appointment_id, "confirm"))).toBe("illegal_transition");
    expect((await postBooking(world.nurse, wanted(hourAhead(2)))).status).toBe(201);
  });

  it("books within the rules of the hospital", async () => {
    const person = await newOwner();
    const ask = (start: number) => postBooking(person, { practitioner_id: practitionerId, start: iso(start) });
    await setRules(world.hospitalId, { selfBooking: "off" });
    expect((await ask(hourAhead())).status).toBe(403);
    await setRules(world.hospitalId, { selfBooking: "direct", maxOpenOwn: 2, leadMinutes: 3 * 24 * 60, windowDays: 10 });
    expect(await codeOf(await ask(hourAhead()))).toEqual([409, "not_bookable"]);
    expect(await codeOf(await ask(hourAhead(20 * 24)))).toEqual([409, "not_bookable"]);
    const at = hourAhead(4 * 24);
    expect(await statusOf(await ask(at))).toBe("booked");
    const colleague = await newPractitionerRow(world.nurse.id, world.hospitalId);
    await newScheduleRow(colleague, world.hospitalId);
    const twice = { practitioner_id: colleague, start: iso(at + 15 * MINUTE_MS) };
    expect(await codeOf(await postBooking(person, twice))).toEqual([409, "conflict"]);
    const { appointment_id: second } = await book(person, { ...twice, start: iso(at + HOUR_MS) });
    expect(await codeOf(await step(person, second, "reschedule", { start: iso(at - 15 * MINUTE_MS) }, 1))).toEqual([
      409,
      "conflict",
    ]);
    // Its own time is not in its way.
    expect(await statusOf(await step(person, second, "reschedule", { start: iso(at + HOUR_MS + 15 * MINUTE_MS) }, 1))).toBe(
      "booked",
    );
    expect(await codeOf(await ask(at + 2 * HOUR_MS))).toEqual([409, "limit_reached"]);
    const notes = { practitioner_id: practitionerId, start: iso(at + 3 * HOUR_MS), notes: "x" };
    expect((await postBooking(person, notes)).status).toBe(403);
    await getDb(env.DB).run(sql`UPDATE schedules SET bookable_by = 'staff' WHERE practitioner_id = ${practitionerId}`);
    await setRules(world.hospitalId, { maxOpenOwn: 9 });
    expect(await codeOf(await ask(at + 3 * HOUR_MS))).toEqual([409, "not_bookable"]);
  });

  it("cancels until the limit, sees no notes, and a guardian does the same for the person", async () => {
    await setRules(world.hospitalId, { selfBooking: "direct", cancelUntilMinutes: 48 * 60 });
    const guardian = await newPerson("patient");
    await newGuardianship(world.patient.id, guardian.id, true);
    const late = await book(world.nurse, wanted(hourAhead(), { notes: "Private note" }));
    const shown = await (await get(guardian, late.appointment_id)).text();
    expect(shown).toContain(late.appointment_id);
    expect(shown).not.toContain("Private note");
    expect(await statusOf(await step(guardian, late.appointment_id, "cancel", {}))).toBe("conflict");
    const own = { patient_id: world.patient.id, practitioner_id: practitionerId, start: iso(hourAhead(3 * 24)) };
    const booked = await book(guardian, own);
    const listed = (await readJson(await sendRequest(`${API}/appointments`, { as: guardian }))).data as Booked[];
    expect(listed.map(({ appointment_id }) => appointment_id)).toEqual([late.appointment_id, booked.appointment_id]);
    expect(await statusOf(await step(guardian, booked.appointment_id, "cancel", { reason: "Ill" }))).toBe("cancelled");
    await getDb(env.DB).run(sql`UPDATE patients SET restricted_at = 1 WHERE id = ${world.patient.id}`);
    expect((await get(guardian, late.appointment_id)).status).toBe(404);
    await getDb(env.DB).run(sql`UPDATE patients SET restricted_at = NULL WHERE id = ${world.patient.id}`);
    await getDb(env.DB).run(sql`UPDATE guardianships SET ended_at = 1, ended_by = 'test' WHERE guardian_id = ${guardian.id}`);
    expect((await get(guardian, late.appointment_id)).status).toBe(404);
    expect((await postBooking(guardian, own)).status).toBe(404);
  });
});

describe("a practitioner", () => {
  it("sees the own appointments of patients who are not theirs, and not those of colleagues", async () => {
    const stranger = await newPatient(world.hospitalId, world.nurse);
    const own = await book(world.nurse, wanted(hourAhead(), { patient_id: stranger.id }));
    expect((await readJson(await get(world.doctor, own.appointment_id))).data.patient.patient_id).toBe(stranger.id);
    expect((await sendRequest(`${API}/patients/${stranger.id}`, { as: world.doctor })).status).toBe(404);
    const colleague = await newPerson("doctor", world.hospitalId);
    expect((await get(colleague, own.appointment_id)).status).toBe(404);
    await getDb(env.DB).run(sql`UPDATE patients SET restricted_at = 1 WHERE id = ${stranger.id}`);
    expect((await get(world.doctor, own.appointment_id)).status).toBe(404);
  });
});

describe("the states", () => {
  it("follow each other as the table says; any other step is refused and changes nothing", async () => {
    const soon = () => Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + HOUR_MS;
    const { appointment_id: id } = await book(world.nurse, wanted(soon()));
    expect(await statusOf(await step(world.nurse, id, "confirm"))).toBe("illegal_transition");
    expect(await statusOf(await step(world.nurse, id, "no-show"))).toBe("noshow");
    expect(await statusOf(await step(world.nurse, id, "cancel", {}))).toBe("illegal_transition");
    const patch = (status: string, version: number) =>
      sendRequest(`${API}/appointments/${id}`, {
        as: world.nurse,
        method: "PATCH",
        json: { status },
        headers: { "If-Match": `"${version}"` },
      });
    expect(await statusOf(await patch("checked_in", 1))).toBe("precondition_failed");
    const arrived = (await readJson(await patch("checked_in", 2))).data;
    expect(arrived).toMatchObject({ status: "arrived", legacy_status: "checked_in", version: 3 });
    expect(await statusOf(await patch("completed", 3))).toBe("fulfilled");
    expect(await statusOf(await patch("pending", 4))).toBe("illegal_transition");
    const path = `${API}/appointments/${id}`;
    expect((await sendRequest(path, { as: world.nurse, method: "DELETE" })).status).toBe(428);
    const deleted = await sendRequest(path, { as: world.nurse, method: "DELETE", headers: { "If-Match": "*" } });
    expect(await statusOf(deleted)).toBe("entered-in-error");
    expect((await postBooking(world.nurse, wanted(soon()))).status).toBe(201);
  });

  it("change once, of steps at once", async () => {
    const { appointment_id: id } = await book(world.nurse, wanted(hourAhead()));
    const slow = withRandomDelays(env);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, i) =>
        statusOf(
          await sendRequest(`${API}/appointments/${id}/${i % 2 ? "cancel" : "no-show"}`, {
            as: world.nurse,
            json: {},
            env: slow,
          }),
        ),
      ),
    );
    expect(answers.filter((answer) => answer === "cancelled" || answer === "noshow")).toHaveLength(1);
    expect((await readJson(await get(world.nurse, id))).data.version).toBe(2);
  });
});

describe("a move", () => {
  it("is all or nothing, frees the old time and keeps it on record", async () => {
    const start = hourAhead();
    const first = await book(world.nurse, wanted(start));
    const second = await book(world.nurse, wanted(start + HOUR_MS));
    const move = (json: object, version = 1) => step(world.nurse, second.appointment_id, "reschedule", json, version);
    expect(await statusOf(await move({ start: first.start }))).toBe("slot_taken");
    expect((await readJson(await get(world.nurse, second.appointment_id))).data).toMatchObject({
      start: second.start,
      version: 1,
    });
    expect(await statusOf(await move({ start: iso(start + 15 * MINUTE_MS) }, 7))).toBe("precondition_failed");
    const moved = (await readJson(await move({ start: iso(start + 30 * MINUTE_MS), duration_minutes: 60 }))).data;
    expect(moved).toMatchObject({
      start: iso(start + 30 * MINUTE_MS),
      duration_minutes: 60,
      changed_from: second.start,
      version: 2,
    });
    expect((await postBooking(world.nurse, wanted(start + 90 * MINUTE_MS))).status).toBe(201);
    expect(
      (
        await sendRequest(`${API}/appointments/${second.appointment_id}/reschedule`, {
          as: world.nurse,
          json: { start: iso(start) },
        })
      ).status,
    ).toBe(428);
  });

  it("never overlaps: of moves into one time one wins", async () => {
    const start = hourAhead();
    const all = await Promise.all(Array.from({ length: 12 }, (_, i) => book(world.nurse, wanted(start + i * HOUR_MS))));
    const slow = withRandomDelays(env);
    const answers = await Promise.all(
      all.map(async ({ appointment_id }) =>
        statusOf(
          await sendRequest(`${API}/appointments/${appointment_id}/reschedule`, {
            as: world.nurse,
            json: { start: iso(start + 20 * HOUR_MS) },
            headers: { "If-Match": '"1"' },
            env: slow,
          }),
        ),
      ),
    );
    expect(answers.filter((answer) => answer === "booked")).toHaveLength(1);
    expect(await countOverlaps(practitionerId)).toBe(0);
  });
});
