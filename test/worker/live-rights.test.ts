// What a socket may see, and how it ends when that is no longer so.
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { signAccessToken } from "../../src/auth/tokens.ts";
import { keysOf } from "../../src/config.ts";
import { database } from "../../src/db/client.ts";
import {
  API,
  ask,
  env,
  link,
  newLogin,
  newPatient,
  newPerson,
  newWorld,
  type Patient,
  type Person,
  type World,
} from "../world.ts";
import { feedOf, isValue, liveOf, monitor, newTicket, publish, sampleOf, shake, valuesOf, watch } from "./live-client.ts";

const WITHIN = 5_000;
const db = database(env.DB);

/** A token of the person's session that ends in so many milliseconds. */
async function shortToken(person: Person, hospitalId: string, lives: number): Promise<string> {
  const claimed = { role: person.role, hospitalId, doctorScope: "care_team" as const };
  const token = { userId: person.id, sessionId: person.sessionId, claimed };
  return signAccessToken(env, (await keysOf(env)).jwt, token, Date.now() - 15 * 60_000 + lives);
}

describe("views", () => {
  it("show staff their hospital, doctors their care team, patients themselves, administrators what they name", async () => {
    const { nurse, manager, doctor, self, admin, patient, stranger, hospitalId } = await newWorld();
    await monitor(patient.id, stranger.id);
    const both = [patient.id, stranger.id].sort();
    const cases: [Person, string, string[]][] = [
      [nurse, "", both],
      [manager, "", both],
      [doctor, "", [patient.id]],
      [self, "", [patient.id]],
      [admin, `?hospital_id=${hospitalId}`, both],
      [admin, `?patient_ids=${both.join()}`, both],
      [nurse, `?patient_id=${stranger.id}`, [stranger.id]],
    ];
    const lives = await Promise.all(cases.map(([as, query]) => watch(as, query)));
    for (const [i, [, , expected]] of cases.entries()) {
      const listing = await lives[i]?.until(({ type }) => type === "view");
      expect(listing.patient_ids.sort()).toEqual(expected);
    }
    await publish(hospitalId, patient.id, 61);
    await publish(hospitalId, stranger.id, 62);
    await publish(hospitalId, patient.id, 63);
    for (const [i, [, , expected]] of cases.entries()) {
      const live = lives[i];
      const last = expected.includes(patient.id) ? 63 : 62;
      await live?.until(isValue(last));
      expect(live && valuesOf(live, patient.id)).toEqual(expected.includes(patient.id) ? [61, 63] : []);
      expect(live && valuesOf(live, stranger.id)).toEqual(expected.includes(stranger.id) ? [62] : []);
      live?.close();
    }
  });

  it("of a doctor show the hospital where the hospital says so", async () => {
    const { doctor, patient, stranger } = await newWorld("hospital");
    await monitor(patient.id, stranger.id);
    const live = await watch(doctor);
    expect((await live.until(({ type }) => type === "view")).patient_ids).toHaveLength(2);
    live.close();
  });

  it("never show another hospital's patient, whatever its object says to whom", async () => {
    const [ours, theirs] = [await newWorld(), await newWorld()];
    await monitor(ours.patient.id, theirs.patient.id);
    const live = await watch(ours.nurse);
    // With a fraction that no time stamp and no sequence number can have by chance.
    expect(await publish(ours.hospitalId, theirs.patient.id, 666.25)).toBe(0);
    expect(await publish(theirs.hospitalId, theirs.patient.id, 666.25)).toBe(0);
    await publish(ours.hospitalId, ours.patient.id, 70);
    await live.until(isValue(70));
    expect(JSON.stringify(live.frames)).not.toContain(theirs.patient.id);
    expect(JSON.stringify(live.frames)).not.toContain("666.25");
    live.close();
  });

  it("take no frame that is about somebody else than it says", async () => {
    const { nurse, patient, stranger, hospitalId } = await newWorld();
    const live = await watch(nurse, `?patient_id=${patient.id}`);
    const crossed = feedOf(hospitalId).publish(patient.id, [sampleOf(stranger.id, 666)]);
    await expect(crossed.then(() => "taken")).rejects.toThrow("another patient");
    await publish(hospitalId, patient.id, 71);
    await live.until(isValue(71));
    expect(valuesOf(live, stranger.id)).toEqual([]);
    live.close();
  });

  it("grow by patients who come to be monitored, with a snapshot and everything after it", async () => {
    const { nurse, patient, stranger, hospitalId } = await newWorld();
    await monitor(patient.id);
    const live = await watch(nurse);
    expect(await publish(hospitalId, stranger.id, 80)).toBe(0);
    await monitor(stranger.id);
    await feedOf(hospitalId).recheck();
    await publish(hospitalId, stranger.id, 81);
    await live.until(isValue(81));
    const views = live.frames.filter(({ type }) => type === "view").map(({ patient_ids }) => patient_ids.length);
    expect(views).toEqual([1, 2]);
    expect(live.frames.filter(({ type }) => type === "snapshot")).toHaveLength(2);
    const numbers = live.frames.map(({ seq }) => seq);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    live.close();
  });
});

describe("a socket ends within five seconds of the look at rights", () => {
  const ends: [string, (w: Awaited<ReturnType<typeof newWorld>>) => Promise<unknown>][] = [
    ["logout", ({ nurse }) => ask(`${API}/auth/logout`, { as: nurse, method: "POST" })],
    ["deactivation", ({ nurse }) => db.run(sql`UPDATE users SET active = 0 WHERE id = ${nurse.id}`)],
    ["another role", ({ nurse }) => db.run(sql`UPDATE memberships SET role = 'hospital_admin' WHERE user_id = ${nurse.id}`)],
    ["suspension", ({ nurse }) => db.run(sql`UPDATE memberships SET suspended_at = 1 WHERE user_id = ${nurse.id}`)],
    ["leaving the hospital", ({ nurse }) => db.run(sql`UPDATE memberships SET ended_at = 1 WHERE user_id = ${nurse.id}`)],
    ["closing the hospital", ({ hospitalId }) => db.run(sql`UPDATE hospitals SET active = 0 WHERE id = ${hospitalId}`)],
    ["another hospital", ({ nurse }) => db.run(sql`UPDATE sessions SET hospital_id = NULL WHERE id = ${nurse.sessionId}`)],
  ];
  it.each(ends)("after %s: 4401, and not a frame more", async (name, change) => {
    const world = await newWorld();
    const { nurse, manager, patient, hospitalId } = world;
    const live = await watch(nurse, `?patient_id=${patient.id}`);
    const other = await watch(manager, `?patient_id=${patient.id}`);
    await change(world);
    const started = Date.now();
    await feedOf(hospitalId).recheck();
    await publish(hospitalId, patient.id, 90);
    expect(await live.closed).toMatchObject({ code: 4401 });
    expect(Date.now() - started).toBeLessThan(WITHIN);
    expect(valuesOf(live, patient.id)).toEqual([]);
    // Somebody whose rights are as before goes on, so it was the change that ended the other.
    if (name !== "closing the hospital") {
      await other.until(isValue(90));
      other.close();
    } else expect(await other.closed).toMatchObject({ code: 4401 });
  });

  it("of people without a hospital, found through the feed that is told of them", async () => {
    const { self, admin, nurse, patient, hospitalId } = await newWorld();
    const lives = [await watch(self), await watch(admin, `?hospital_id=${hospitalId}`)];
    const staff = await watch(nurse, `?patient_id=${patient.id}`);
    await db.run(sql`UPDATE sessions SET revoked_at = 1 WHERE user_id IN (${self.id}, ${admin.id})`);
    await feedOf("none").recheck();
    for (const live of lives) expect(await live.closed).toMatchObject({ code: 4401 });
    await publish(hospitalId, patient.id, 91);
    await staff.until(isValue(91));
    staff.close();
  });

  it("of administrators who act for one hospital and watch another, each the other's", async () => {
    const [here, there] = [await newWorld(), await newWorld()];
    const actingFor = (admin: Person, { hospitalId }: World) =>
      newLogin(admin.id, { role: "admin", hospitalId, doctorScope: "care_team" });
    const [guest, other] = [await actingFor(here.admin, here), await actingFor(there.admin, there)];
    const live = await watch(guest, `?hospital_id=${there.hospitalId}`);
    const back = await watch(other, `?patient_id=${here.patient.id}`);
    await db.run(sql`UPDATE users SET active = 0 WHERE id = ${here.admin.id}`);
    // As the trigger has it: the hospital of the session that ended.
    await feedOf(here.hospitalId).recheck();
    expect(await live.closed).toMatchObject({ code: 4401 });
    await publish(here.hospitalId, here.patient.id, 92);
    await back.until(isValue(92));
    back.close();
  });

  it("when an app's key is revoked", async () => {
    const { manager, patient, hospitalId } = await newWorld();
    const answer = await ask(`${API}/api-keys`, { as: manager, json: { name: "board", scopes: ["patient:read"] } });
    const { data } = JSON.parse(await answer.text());
    const live = await watch({ token: data.token ?? data.key }, `?patient_id=${patient.id}`);
    await db.run(sql`UPDATE credentials SET revoked_at = 1 WHERE hospital_id = ${hospitalId} AND kind = 'app'`);
    await feedOf(hospitalId).recheck();
    expect(await live.closed).toMatchObject({ code: 4401 });
  });
});

describe("who leaves the care team", () => {
  async function doctorOfTwo() {
    const world = await newWorld();
    const { hospitalId, nurse, doctor } = world;
    const second: Patient = await newPatient(hospitalId, nurse, [doctor]);
    await monitor(world.patient.id, second.id);
    return { ...world, second };
  }
  const leave = (doctor: Person, ...patients: Patient[]) =>
    db.run(sql`UPDATE care_team SET ended_at = 1 WHERE user_id = ${doctor.id}
      AND patient_id IN (SELECT value FROM json_each(${JSON.stringify(patients.map(({ id }) => id))}))`);

  it("sees the patient no more, and is told whom the view still has", async () => {
    const { doctor, nurse, patient, second, hospitalId } = await doctorOfTwo();
    const live = await watch(doctor);
    const ward = await watch(nurse);
    await leave(doctor, patient);
    await feedOf(hospitalId).recheck();
    await publish(hospitalId, patient.id, 95);
    await publish(hospitalId, second.id, 96);
    await live.until(isValue(96));
    expect(valuesOf(live, patient.id)).toEqual([]);
    expect(live.frames.filter(({ type }) => type === "view").at(-1).patient_ids).toEqual([second.id]);
    await ward.until(isValue(96));
    expect(valuesOf(ward, patient.id)).toEqual([95]);
    live.close();
    ward.close();
  });

  it("is closed with 4403 when nobody who was named is left", async () => {
    const { doctor, patient, second, hospitalId } = await doctorOfTwo();
    const named = await watch(doctor, `?patient_ids=${patient.id},${second.id}`);
    const all = await watch(doctor);
    await leave(doctor, patient);
    await feedOf(hospitalId).recheck();
    expect((await named.until((f) => f.type === "view" && f.patient_ids.length === 1)).patient_ids).toEqual([second.id]);
    await leave(doctor, second);
    await feedOf(hospitalId).recheck();
    expect(await named.closed).toMatchObject({ code: 4403 });
    expect((await all.until((f) => f.type === "view" && f.patient_ids.length === 0)).patient_ids).toEqual([]);
    all.close();
  });

  it("is found by the alarm too, which looks every minute", async () => {
    const { doctor, patient, hospitalId } = await doctorOfTwo();
    const live = await watch(doctor, `?patient_id=${patient.id}`);
    await leave(doctor, patient);
    // A restart forgets when the last look was, so that the alarm that stands looks at once.
    await evictDurableObject(feedOf(hospitalId));
    expect(await runDurableObjectAlarm(feedOf(hospitalId))).toBe(true);
    expect(await live.closed).toMatchObject({ code: 4403 });
  });
});

describe("the token's end", () => {
  it("closes the socket with 4401 within five seconds, while others stay", async () => {
    const { nurse, manager, patient, hospitalId } = await newWorld();
    const short = await watch({ token: await shortToken(nurse, hospitalId, 2_000) }, `?patient_id=${patient.id}`);
    const other = await watch(manager, `?patient_id=${patient.id}`);
    const ends = Date.now() + 2_000;
    expect(await short.closed).toMatchObject({ code: 4401 });
    expect(Date.now()).toBeLessThan(ends + WITHIN);
    expect(Date.now()).toBeGreaterThan(ends - 2_000);
    await publish(hospitalId, patient.id, 97);
    await other.until(isValue(97));
    other.close();
  });

  it("is moved by a newer token of the same session", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const query = `?patient_id=${patient.id}`;
    const [kept, left] = await Promise.all(
      [0, 1].map(async () => watch({ token: await shortToken(nurse, hospitalId, 2_500) }, query)),
    );
    kept?.socket.send(JSON.stringify({ type: "token", access_token: nurse.token }));
    expect(await left?.closed).toMatchObject({ code: 4401 });
    await publish(hospitalId, patient.id, 98);
    await kept?.until(isValue(98));
    kept?.close();
  });

  it("is not moved by anybody else's token, an older session's or none", async () => {
    const { nurse, doctor, patient, hospitalId } = await newWorld();
    const again = await newLogin(nurse.id, { role: "nurse", hospitalId, doctorScope: "care_team" });
    for (const token of [doctor.token, again.token, "x", `${nurse.token}x`]) {
      const live = await watch(nurse, `?patient_id=${patient.id}`);
      live.socket.send(JSON.stringify({ type: "token", access_token: token }));
      expect(await live.closed).toMatchObject({ code: 4401 });
    }
  });

  it("of a ticket is that of the token it was asked for with", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const ticket = await newTicket({ token: await shortToken(nurse, hospitalId, 2_500) }, { patient_id: patient.id });
    const live = liveOf(await shake(`${API}/live?ticket=${ticket}`));
    expect(await live.closed).toMatchObject({ code: 4401 });
  });
});

describe("hibernation", () => {
  it("keeps who watches what, until when and what is owed", async () => {
    const { nurse, doctor, patient, stranger, hospitalId } = await newWorld();
    await monitor(patient.id, stranger.id);
    const ward = await watch(nurse);
    const own = await watch(doctor);
    const short = await watch({ token: await shortToken(nurse, hospitalId, 3_000) }, `?patient_id=${patient.id}`);
    await publish(hospitalId, patient.id, 50);
    await own.until(isValue(50));
    await evictDurableObject(feedOf(hospitalId));
    await publish(hospitalId, stranger.id, 51);
    await publish(hospitalId, patient.id, 52);
    await Promise.all([ward.until(isValue(52)), own.until(isValue(52))]);
    expect(valuesOf(ward, stranger.id)).toEqual([51]);
    expect(valuesOf(own, stranger.id)).toEqual([]);
    expect(await short.closed).toMatchObject({ code: 4401 });
    for (const live of [ward, own]) {
      const numbers = live.frames.map(({ seq }) => seq);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      live.close();
    }
  });

  it("keeps an own record's view apart from its neighbours", async () => {
    const { nurse, hospitalId } = await newWorld();
    const [one, two] = [await newPerson("patient"), await newPerson("patient")];
    const [first, second] = [await newPatient(hospitalId, nurse), await newPatient(hospitalId, nurse)];
    await link(one, first);
    await link(two, second);
    const [a, b] = [await watch(one), await watch(two)];
    await evictDurableObject(feedOf(hospitalId));
    await publish(hospitalId, first.id, 41);
    await publish(hospitalId, second.id, 42);
    await Promise.all([a.until(isValue(41)), b.until(isValue(42))]);
    expect(valuesOf(a, second.id)).toEqual([]);
    expect(valuesOf(b, first.id)).toEqual([]);
    a.close();
    b.close();
  });
});
