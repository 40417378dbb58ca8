// What a socket may see, and how it is closed when access ends.
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { signAccessToken } from "../../src/accounts/sessions/access-tokens.ts";
import { getKeys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";
import {
  API,
  env,
  link,
  newLogin,
  newPatient,
  newPerson,
  newWorld,
  type Patient,
  type Person,
  readJson,
  sendRequest,
  type World,
} from "../world.ts";
import {
  acceptSocket,
  createSampleFrame,
  createTicket,
  getFeed,
  hasValue,
  openLiveView,
  publish,
  receivedValues,
  sendHandshake,
  startMonitoring,
} from "./live-client.ts";

const WITHIN = 5_000;
const db = getDb(env.DB);

/** A token of the person's session that expires after this many milliseconds. */
async function shortToken(person: Person, hospitalId: string, lives: number): Promise<string> {
  const claimed = { role: person.role, hospitalId, doctorScope: "care_team" as const };
  const token = { userId: person.id, sessionId: person.sessionId, claimedRole: claimed };
  return signAccessToken(env, (await getKeys(env)).jwt, token, Date.now() - 15 * 60_000 + lives);
}

describe("views", () => {
  it("show staff their hospital, doctors their care team, patients themselves, administrators what they name", async () => {
    const { nurse, manager, doctor, self, admin, patient, stranger, hospitalId } = await newWorld();
    await startMonitoring(patient.id, stranger.id);
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
    const lives = await Promise.all(cases.map(([as, query]) => openLiveView(as, query)));
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
      await live?.until(hasValue(last));
      expect(live && receivedValues(live, patient.id)).toEqual(expected.includes(patient.id) ? [61, 63] : []);
      expect(live && receivedValues(live, stranger.id)).toEqual(expected.includes(stranger.id) ? [62] : []);
      live?.close();
    }
  });

  it("of a doctor show the whole hospital where its scope allows it", async () => {
    const { doctor, patient, stranger } = await newWorld("hospital");
    await startMonitoring(patient.id, stranger.id);
    const live = await openLiveView(doctor);
    expect((await live.until(({ type }) => type === "view")).patient_ids).toHaveLength(2);
    live.close();
  });

  it("never show another hospital's patient, whatever its object says to whom", async () => {
    const [ours, theirs] = [await newWorld(), await newWorld()];
    await startMonitoring(ours.patient.id, theirs.patient.id);
    const live = await openLiveView(ours.nurse);
    // A fraction that no timestamp and no sequence number can contain by chance.
    expect(await publish(ours.hospitalId, theirs.patient.id, 666.25)).toBe(0);
    expect(await publish(theirs.hospitalId, theirs.patient.id, 666.25)).toBe(0);
    await publish(ours.hospitalId, ours.patient.id, 70);
    await live.until(hasValue(70));
    expect(JSON.stringify(live.frames)).not.toContain(theirs.patient.id);
    expect(JSON.stringify(live.frames)).not.toContain("666.25");
    live.close();
  });

  it("reject a frame about a patient other than its sender", async () => {
    const { nurse, patient, stranger, hospitalId } = await newWorld();
    const live = await openLiveView(nurse, `?patient_id=${patient.id}`);
    const crossed = getFeed(hospitalId).publish(patient.id, [createSampleFrame(stranger.id, 666)]);
    await expect(crossed.then(() => "taken")).rejects.toThrow("another patient");
    await publish(hospitalId, patient.id, 71);
    await live.until(hasValue(71));
    expect(receivedValues(live, stranger.id)).toEqual([]);
    live.close();
  });

  it("grow by newly monitored patients, with a snapshot and every later frame", async () => {
    const { nurse, patient, stranger, hospitalId } = await newWorld();
    await startMonitoring(patient.id);
    const live = await openLiveView(nurse);
    expect(await publish(hospitalId, stranger.id, 80)).toBe(0);
    await startMonitoring(stranger.id);
    await getFeed(hospitalId).recheck();
    await publish(hospitalId, stranger.id, 81);
    await live.until(hasValue(81));
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
    ["logout", ({ nurse }) => sendRequest(`${API}/auth/logout`, { as: nurse, method: "POST" })],
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
    const live = await openLiveView(nurse, `?patient_id=${patient.id}`);
    const other = await openLiveView(manager, `?patient_id=${patient.id}`);
    await change(world);
    const started = Date.now();
    await getFeed(hospitalId).recheck();
    await publish(hospitalId, patient.id, 90);
    expect(await live.closed).toMatchObject({ code: 4401 });
    expect(Date.now() - started).toBeLessThan(WITHIN);
    expect(receivedValues(live, patient.id)).toEqual([]);
    // A user with unchanged access continues, so the change caused the other's end.
    if (name !== "closing the hospital") {
      await other.until(hasValue(90));
      other.close();
    } else expect(await other.closed).toMatchObject({ code: 4401 });
  });

  it("of people without a hospital, through the feed that is notified about them", async () => {
    const { self, admin, nurse, patient, hospitalId } = await newWorld();
    const lives = [await openLiveView(self), await openLiveView(admin, `?hospital_id=${hospitalId}`)];
    const staff = await openLiveView(nurse, `?patient_id=${patient.id}`);
    await db.run(sql`UPDATE sessions SET revoked_at = 1 WHERE user_id IN (${self.id}, ${admin.id})`);
    await getFeed("none").recheck();
    for (const live of lives) expect(await live.closed).toMatchObject({ code: 4401 });
    await publish(hospitalId, patient.id, 91);
    await staff.until(hasValue(91));
    staff.close();
  });

  it("of administrators who act for one hospital and watch another, each the other's", async () => {
    const [here, there] = [await newWorld(), await newWorld()];
    const actingFor = (admin: Person, { hospitalId }: World) =>
      newLogin(admin.id, { role: "admin", hospitalId, doctorScope: "care_team" });
    const [guest, other] = [await actingFor(here.admin, here), await actingFor(there.admin, there)];
    const live = await openLiveView(guest, `?hospital_id=${there.hospitalId}`);
    const back = await openLiveView(other, `?patient_id=${here.patient.id}`);
    await db.run(sql`UPDATE users SET active = 0 WHERE id = ${here.admin.id}`);
    // As the trigger writes it: the hospital of the ended session.
    await getFeed(here.hospitalId).recheck();
    expect(await live.closed).toMatchObject({ code: 4401 });
    await publish(here.hospitalId, here.patient.id, 92);
    await back.until(hasValue(92));
    back.close();
  });

  it.each([
    ["is revoked", sql`revoked_at = 1`],
    ["loses one of its scopes", sql`scopes = 'patient:read observation:read'`],
  ])("when an app's key %s", async (_, change) => {
    const { manager, patient, hospitalId } = await newWorld();
    const json = { name: "board", scopes: ["patient:read", "observation:read", "alert:read"] };
    const answer = await sendRequest(`${API}/api-keys`, { as: manager, json });
    const { data } = JSON.parse(await answer.text());
    const live = await openLiveView({ token: data.token ?? data.key }, `?patient_id=${patient.id}`);
    await db.run(sql`UPDATE credentials SET ${change} WHERE hospital_id = ${hospitalId} AND kind = 'app'`);
    await getFeed(hospitalId).recheck();
    expect(await live.closed).toMatchObject({ code: 4401 });
  });
});

describe("the end of an app's key", () => {
  async function newKey(manager: Person, limits: object = {}): Promise<{ api_key_id: string; token: string }> {
    const json = { name: "board", scopes: ["patient:read", "observation:read", "alert:read"], ...limits };
    return (await readJson(await sendRequest(`${API}/api-keys`, { as: manager, json }))).data;
  }

  it("by a rotation without overlap closes its views at once", async () => {
    const { manager, patient, hospitalId } = await newWorld();
    const [key, other] = [await newKey(manager), await newKey(manager)];
    const query = `?patient_id=${patient.id}`;
    const [live, kept] = [await openLiveView(key, query), await openLiveView(other, query)];
    const rotated = await sendRequest(`${API}/api-keys/${key.api_key_id}/rotate`, { as: manager, json: { grace_days: 0 } });
    expect(rotated.status).toBe(201);
    expect(await live.closed).toMatchObject({ code: 4401 });
    await publish(hospitalId, patient.id, 96);
    await kept.until(hasValue(96));
    kept.close();
  });

  it("closes its views when it comes, also those opened with a ticket", async () => {
    const { manager, patient } = await newWorld();
    const ends = Date.now() + 1_500;
    const key = await newKey(manager, { expires_at: new Date(ends).toISOString() });
    const query = `?patient_id=${patient.id}`;
    const ticket = await createTicket(key, { patient_id: patient.id });
    const lives = [await openLiveView(key, query), acceptSocket(await sendHandshake(`${API}/live?ticket=${ticket}`))];
    for (const live of lives) expect(await live.closed).toMatchObject({ code: 4401 });
    expect(Date.now()).toBeGreaterThanOrEqual(ends - 100);
    expect(Date.now()).toBeLessThan(ends + WITHIN);
  });
});

describe("a doctor who leaves the care team", () => {
  async function doctorOfTwo() {
    const world = await newWorld();
    const { hospitalId, nurse, doctor } = world;
    const second: Patient = await newPatient(hospitalId, nurse, [doctor]);
    await startMonitoring(world.patient.id, second.id);
    return { ...world, second };
  }
  const leave = (doctor: Person, ...patients: Patient[]) =>
    db.run(sql`UPDATE care_team SET ended_at = 1 WHERE user_id = ${doctor.id}
      AND patient_id IN (SELECT value FROM json_each(${JSON.stringify(patients.map(({ id }) => id))}))`);

  it("no longer sees the patient, and gets the remaining patients of the view", async () => {
    const { doctor, nurse, patient, second, hospitalId } = await doctorOfTwo();
    const live = await openLiveView(doctor);
    const ward = await openLiveView(nurse);
    await leave(doctor, patient);
    await getFeed(hospitalId).recheck();
    await publish(hospitalId, patient.id, 95);
    await publish(hospitalId, second.id, 96);
    await live.until(hasValue(96));
    expect(receivedValues(live, patient.id)).toEqual([]);
    expect(live.frames.filter(({ type }) => type === "view").at(-1).patient_ids).toEqual([second.id]);
    await ward.until(hasValue(96));
    expect(receivedValues(ward, patient.id)).toEqual([95]);
    live.close();
    ward.close();
  });

  it("is closed with 4403 when no named patient is left", async () => {
    const { doctor, patient, second, hospitalId } = await doctorOfTwo();
    const named = await openLiveView(doctor, `?patient_ids=${patient.id},${second.id}`);
    const all = await openLiveView(doctor);
    await leave(doctor, patient);
    await getFeed(hospitalId).recheck();
    expect((await named.until((f) => f.type === "view" && f.patient_ids.length === 1)).patient_ids).toEqual([second.id]);
    await leave(doctor, second);
    await getFeed(hospitalId).recheck();
    expect(await named.closed).toMatchObject({ code: 4403 });
    expect((await all.until((f) => f.type === "view" && f.patient_ids.length === 0)).patient_ids).toEqual([]);
    all.close();
  });

  it("is found by the alarm too, which looks every minute", async () => {
    const { doctor, patient, hospitalId } = await doctorOfTwo();
    const live = await openLiveView(doctor, `?patient_id=${patient.id}`);
    await leave(doctor, patient);
    // After a restart the time of the last check is unknown, so the pending alarm checks at once.
    await evictDurableObject(getFeed(hospitalId));
    expect(await runDurableObjectAlarm(getFeed(hospitalId))).toBe(true);
    expect(await live.closed).toMatchObject({ code: 4403 });
  });
});

describe("the token's end", () => {
  it("closes the socket with 4401 within five seconds, while others stay", async () => {
    const { nurse, manager, patient, hospitalId } = await newWorld();
    const short = await openLiveView({ token: await shortToken(nurse, hospitalId, 2_000) }, `?patient_id=${patient.id}`);
    const other = await openLiveView(manager, `?patient_id=${patient.id}`);
    const ends = Date.now() + 2_000;
    expect(await short.closed).toMatchObject({ code: 4401 });
    expect(Date.now()).toBeLessThan(ends + WITHIN);
    expect(Date.now()).toBeGreaterThan(ends - 2_000);
    await publish(hospitalId, patient.id, 97);
    await other.until(hasValue(97));
    other.close();
  });

  it("is extended by a newer token of the same session", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const query = `?patient_id=${patient.id}`;
    const [kept, left] = await Promise.all(
      [0, 1].map(async () => openLiveView({ token: await shortToken(nurse, hospitalId, 2_500) }, query)),
    );
    kept?.socket.send(JSON.stringify({ type: "token", access_token: nurse.token }));
    expect(await left?.closed).toMatchObject({ code: 4401 });
    await publish(hospitalId, patient.id, 98);
    await kept?.until(hasValue(98));
    kept?.close();
  });

  it("is not extended by another user's token, an older session's or none", async () => {
    const { nurse, doctor, patient, hospitalId } = await newWorld();
    const again = await newLogin(nurse.id, { role: "nurse", hospitalId, doctorScope: "care_team" });
    for (const token of [doctor.token, again.token, "x", `${nurse.token}x`]) {
      const live = await openLiveView(nurse, `?patient_id=${patient.id}`);
      live.socket.send(JSON.stringify({ type: "token", access_token: token }));
      expect(await live.closed).toMatchObject({ code: 4401 });
    }
  });

  it("of a ticket is that of the token it was asked for with", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const ticket = await createTicket({ token: await shortToken(nurse, hospitalId, 2_500) }, { patient_id: patient.id });
    const live = acceptSocket(await sendHandshake(`${API}/live?ticket=${ticket}`));
    expect(await live.closed).toMatchObject({ code: 4401 });
  });
});

describe("hibernation", () => {
  it("keeps the subscriptions, their expiry and the unacknowledged frames", async () => {
    const { nurse, doctor, patient, stranger, hospitalId } = await newWorld();
    await startMonitoring(patient.id, stranger.id);
    const ward = await openLiveView(nurse);
    const own = await openLiveView(doctor);
    const short = await openLiveView({ token: await shortToken(nurse, hospitalId, 3_000) }, `?patient_id=${patient.id}`);
    await publish(hospitalId, patient.id, 50);
    await own.until(hasValue(50));
    await evictDurableObject(getFeed(hospitalId));
    await publish(hospitalId, stranger.id, 51);
    await publish(hospitalId, patient.id, 52);
    await Promise.all([ward.until(hasValue(52)), own.until(hasValue(52))]);
    expect(receivedValues(ward, stranger.id)).toEqual([51]);
    expect(receivedValues(own, stranger.id)).toEqual([]);
    expect(await short.closed).toMatchObject({ code: 4401 });
    for (const live of [ward, own]) {
      const numbers = live.frames.map(({ seq }) => seq);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      live.close();
    }
  });

  it("keeps the view of one's own record separate from others", async () => {
    const { nurse, hospitalId } = await newWorld();
    const [one, two] = [await newPerson("patient"), await newPerson("patient")];
    const [first, second] = [await newPatient(hospitalId, nurse), await newPatient(hospitalId, nurse)];
    await link(one, first);
    await link(two, second);
    const [a, b] = [await openLiveView(one), await openLiveView(two)];
    await evictDurableObject(getFeed(hospitalId));
    await publish(hospitalId, first.id, 41);
    await publish(hospitalId, second.id, 42);
    await Promise.all([a.until(hasValue(41)), b.until(hasValue(42))]);
    expect(receivedValues(a, second.id)).toEqual([]);
    expect(receivedValues(b, first.id)).toEqual([]);
    a.close();
    b.close();
  });
});
