// The live view of the one record that a running emergency access opens: all frames, for its user alone, until the access ends.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { WardFeed } from "../../src/monitoring/live/ward-feed.ts";
import { deliverChanges } from "../../src/monitoring/patient-object/context/change-delivery.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { addToCareTeam } from "../authz.world.ts";
import {
  type EmergencyScene,
  identify,
  identifyAsOne,
  newEmergencyScene,
  openInEmergency,
  setReach,
} from "../emergency-scene.ts";
import { eventually } from "../eventually.ts";
import { withCounters } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  findEvents,
  newLogin,
  newPatient,
  newPerson,
  type Person,
  readJson,
  sendRequest,
  uniqueText,
} from "../world.ts";
import { CANARY, grant, hasCanary, hiddenFrames, newScene as newConsentedScene, samplesFrame } from "./consented-live-world.ts";
import {
  createTicket,
  drain,
  getFeed,
  hasValue,
  type LiveSocket,
  leave,
  openLiveView,
  publish,
  receivedValues,
  sendHandshake,
  startMonitoring,
} from "./live-client.ts";

const db = getDb(env.DB);
afterEach(() => void vi.useRealTimers());

const SEIZURE = "Seizure now, earlier findings are needed";
type Scene = EmergencyScene & { reader: Person; accessId: string };

/** A running access to the monitored record at A, by a doctor of A or of B. */
async function newScene(isOwn = true): Promise<Scene> {
  const scene = await newEmergencyScene();
  const { a, b, atA } = scene;
  if (!isOwn) for (const { hospitalId } of [a, b]) await setReach(hospitalId, "any_hospital");
  await startMonitoring(atA.id);
  const reader = isOwn ? a.doctor : b.doctor;
  return { ...scene, reader, accessId: await openInEmergency(reader, atA.id) };
}

const open = ({ reader, atA }: Scene, as = reader) => openLiveView(as, `?patient_id=${atA.id}`);
const handshake = ({ reader, atA }: Scene, query = "", as = reader) =>
  sendHandshake(`${API}/live?patient_ids=${atA.id}${query}`, { as });
const publishFrames = ({ a, atA }: Scene, frames: Parameters<WardFeed["publish"]>[1]) =>
  getFeed(a.hospitalId).publish(atA.id, frames);
const publishCanary = (scene: Scene) => publishFrames(scene, [samplesFrame(scene.atA.id, [{ value: null, ago: 0 }])]);
const textOf = ({ frames }: LiveSocket) => JSON.stringify(frames);
const end = ({ reader, accessId }: Scene, over?: Env) =>
  sendRequest(`${API}/emergency-access/${accessId}/end`, { as: reader, method: "POST", ...(over && { env: over }) });
async function deliverAll(): Promise<void> {
  while ((await deliverChanges(env)) > 0);
}

type FeedCalls = { endGrant: (grantId: string) => Promise<unknown>; recheck: () => Promise<unknown> };
/** Ends the access with other calls to the feed than the product's. */
function endBy(scene: Scene, calls: (feed: ReturnType<typeof getFeed>) => FeedCalls) {
  const getByName = (name: string) => calls(getFeed(name));
  return end(scene, { ...env, WARD_FEED: { getByName } as unknown as Env["WARD_FEED"] });
}
/** Without the later delivery of the outbox. */
const endAtFeed = (scene: Scene) =>
  endBy(scene, (feed) => ({ endGrant: (id) => feed.endGrant(id), recheck: async () => undefined }));

/** Moves the end of the access; views that open afterwards know it. */
const setEnd = ({ accessId }: Scene, at: number) =>
  db.run(sql`UPDATE emergency_accesses SET ends_at = CAST(${at} AS INTEGER) WHERE id = ${accessId}`);

describe.each([
  ["of the own hospital", true],
  ["of another hospital", false],
])("a view of a record %s", (_, isOwn) => {
  it("shows all frames of this patient and none of another", async () => {
    const scene = await newScene(isOwn);
    const { a, atA } = scene;
    const other = await newPatient(a.hospitalId, a.nurse);
    await startMonitoring(other.id);
    const [live, own] = [await open(scene), await openLiveView(a.nurse, `?patient_ids=${atA.id},${other.id}`)];
    await getFeed(a.hospitalId).publish(other.id, hiddenFrames(other.id));
    await publishFrames(scene, [...hiddenFrames(atA.id), samplesFrame(atA.id, [{ value: 71, ago: 0 }])]);
    for (const view of [live, own]) {
      await view.until(hasValue(71));
      await drain(view);
    }
    expect([textOf(live).includes(other.id), textOf(own).includes(other.id)]).toEqual([false, true]);
    const shown = live.frames.filter(({ type }) => type !== "pong" && type !== "beat");
    expect(shown.map(({ type }) => type)).toEqual(["snapshot", "view", "alert", "limits", "observations", "samples", "samples"]);
    expect(Object.keys(shown[0].patients[0])).toEqual(expect.arrayContaining(["news2", "alerts", "limits"]));
    for (const view of [live, own]) view.close();
  });

  it("stands in the holder's log, each time with basis, purpose and access", async () => {
    const scene = await newScene(isOwn);
    const { a, b, atA, reader, accessId } = scene;
    await createTicket(reader, { patient_id: atA.id });
    const live = await open(scene);
    for (const event of ["live.ticket", "live.open", "live.view"]) {
      await eventually(async () => {
        const found = await findEvents({ event, hospital_id: a.hospitalId });
        expect([event, found.length]).toEqual([event, 1]);
        expect(found[0]).toMatchObject({ basis: "emergency", purpose: "BTG", actor_id: reader.id });
        expect(found[0]?.actor_hospital_id).toBe(isOwn ? null : b.hospitalId);
        expect(JSON.parse(found[0]?.detail ?? "{}")).toMatchObject({ emergency_access_id: accessId, patients: 1 });
        expect(found[0]?.subjects).toEqual([atA.id]);
      });
    }
    live.close();
  });

  it("is for its user alone, at the hospital of the access, and for this patient", async () => {
    const scene = await newScene(isOwn);
    const { a, b, atA, reader } = scene;
    const hospitalId = isOwn ? a.hospitalId : b.hospitalId;
    (await open(scene)).close();
    const colleague = await newPerson("doctor", hospitalId);
    await expectProblem(await handshake(scene, "", colleague), 404, "not_found");
    await expectProblem(
      await sendRequest(`${API}/live/tickets`, { as: colleague, json: { patient_id: atA.id } }),
      404,
      "not_found",
    );
    // Together with others it opens nothing, and the view of the hospital is not wider.
    const [team, stranger] = [await newPatient(a.hospitalId, a.nurse), await newPatient(a.hospitalId, a.nurse)];
    await addToCareTeam(team.id, reader.id);
    for (const { id } of [team, stranger]) {
      await startMonitoring(id);
      await expectProblem(await handshake(scene, `,${id}`), 404, "not_found");
    }
    await expectProblem(await sendHandshake(`${API}/live?patient_id=${stranger.id}`, { as: reader }), 404, "not_found");
    const all = await openLiveView(reader);
    expect(textOf(all)).not.toContain(atA.id);
    all.close();
    const elsewhere = (await newEmergencyScene()).a.hospitalId;
    await db.run(sql`INSERT INTO memberships (user_id, hospital_id, role, created_by, created_at)
      VALUES (${reader.id}, ${elsewhere}, 'doctor', ${reader.id}, 1)`);
    const login = await newLogin(reader.id, { role: "doctor", hospitalId: elsewhere, doctorScope: "care_team" });
    await expectProblem(await handshake(scene, "", { ...reader, ...login }), 404, "not_found");
  });
});

describe("a view in an emergency", () => {
  it("shows a record that is restricted, also to one whose role would show it otherwise", async () => {
    const { a, atA } = await newEmergencyScene();
    await db.run(sql`UPDATE patients SET restricted_at = 1 WHERE id = ${atA.id}`);
    const path = `${API}/live?patient_id=${atA.id}`;
    await expectProblem(await sendHandshake(path, { as: a.nurse }), 404, "not_found");
    const accessId = await openInEmergency(a.nurse, atA.id);
    const live = await openLiveView(a.nurse, `?patient_id=${atA.id}`);
    const [event] = await findEvents({ event: "live.open", hospital_id: a.hospitalId });
    expect([event?.basis, event?.detail?.includes(accessId)]).toEqual(["emergency", true]);
    live.close();
  });

  it("leaves one by consent as it is, and comes before a consent where both open the record", async () => {
    const scene = await newConsentedScene();
    const { a, b, atA, atB } = scene;
    for (const { hospitalId } of [a, b]) await setReach(hospitalId, "any_hospital");
    await identifyAsOne(atA.id, atB.id);
    await grant(scene);
    const byConsent = await openLiveView(b.nurse, `?patient_id=${atA.id}`);
    await openInEmergency(b.nurse, atA.id);
    const inEmergency = await openLiveView(b.nurse, `?patient_id=${atA.id}`);
    await getFeed(a.hospitalId).recheck();
    await getFeed(a.hospitalId).publish(atA.id, [...hiddenFrames(atA.id), samplesFrame(atA.id, [{ value: 71, ago: 0 }])]);
    for (const view of [byConsent, inEmergency]) {
      await view.until(hasValue(71));
      await drain(view);
    }
    expect([byConsent, inEmergency].map((view) => hasCanary(textOf(view)))).toEqual([false, true]);
    const opened = await findEvents({ event: "live.open", hospital_id: a.hospitalId });
    expect(opened.map(({ basis }) => basis)).toEqual(["consent", "emergency"]);
    for (const view of [byConsent, inEmergency]) view.close();
  });
});

describe("the end by the user", () => {
  const CLOSED_WITHIN_MS = 1_000;

  it("closes the views before it is acknowledged, and refuses those that begin afterwards", async () => {
    const scene = await newScene();
    const ticket = await createTicket(scene.reader, { patient_id: scene.atA.id });
    const [live, own] = [await open(scene), await open(scene, scene.a.nurse)];
    const last = Math.max(...live.frames.map(({ seq }) => seq));
    expect((await endAtFeed(scene)).status).toBe(200);
    const acknowledged = Date.now();
    await publishCanary(scene);
    expect(await live.closed).toMatchObject({ code: 4403 });
    expect(Date.now() - acknowledged).toBeLessThan(CLOSED_WITHIN_MS);
    expect(hasCanary(textOf(live))).toBe(false);
    await own.until(hasValue(CANARY));
    await expectProblem(await handshake(scene, `&since=${last}`), 404, "not_found");
    await expectProblem(await sendHandshake(`${API}/live?ticket=${ticket}`), 404, "not_found");
    own.close();
  });

  it("ends server-sent events", async () => {
    const scene = await newScene(false);
    const ticket = await createTicket(scene.reader, { patient_ids: [scene.atA.id] });
    const text = (await sendRequest(`${API}/live/sse?ticket=${ticket}`)).text();
    expect((await end(scene)).status).toBe(200);
    await publishCanary(scene);
    const events = await text;
    expect(events).toContain('"type":"view"');
    expect(events).toContain('"code":4403');
    expect(hasCanary(events)).toBe(false);
  });

  it("without the call to the feed shows more, which this test notices, until the outbox delivers the change", async () => {
    const scene = await newScene();
    const live = await open(scene);
    const calls = { endGrant: async () => undefined, recheck: () => Promise.reject(new Error("down")) };
    expect((await endBy(scene, () => calls)).status).toBe(200);
    await publishCanary(scene);
    await live.until(hasValue(CANARY));
    await eventually(async () => expect(await deliverChanges(env, Date.now() + 3_600_000)).toBeGreaterThan(0));
    await publish(scene.a.hospitalId, scene.atA.id, 72);
    expect(await live.closed).toMatchObject({ code: 4403 });
    expect(receivedValues(live, scene.atA.id)).toEqual([CANARY]);
  });

  it("shows nothing afterwards to views that open at the same time", async () => {
    const scene = await newScene();
    const opened = await Promise.all(Array.from({ length: 4 }, () => handshake(scene)));
    const opening = Array.from({ length: 4 }, () => handshake(scene));
    expect((await endAtFeed(scene)).status).toBe(200);
    const sockets = [...opened, ...(await Promise.all(opening))].flatMap(({ webSocket }) => webSocket ?? []);
    expect(sockets.length).toBeGreaterThanOrEqual(opened.length);
    await publishCanary(scene);
    for (const socket of sockets) {
      const received: string[] = [];
      const closed = new Promise<number>((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
      socket.addEventListener("message", ({ data }) => void received.push(String(data)));
      socket.accept();
      expect(await closed).toBe(4403);
      expect(hasCanary(received.join())).toBe(false);
    }
  });

  it("takes two round trips to D1 and one call of a feed", async () => {
    const scene = await newScene(false);
    const { env: counted, counts } = withCounters(env);
    expect((await end(scene, counted)).status).toBe(200);
    expect(counts).toMatchObject({ d1: 2, objects: ["feed.endGrant"] });
  });
});

describe("the view ends", () => {
  it("by the service's clock: no frame after the end, and the socket closes with the alarm of that time", async () => {
    // Within the lease of the patient's frames and before the token expires.
    const endsIn = 300_000;
    const scene = await newScene();
    const endsAt = Date.now() + endsIn;
    await setEnd(scene, endsAt);
    const live = await open(scene);
    const feed = getFeed(scene.a.hospitalId);
    vi.useFakeTimers({ now: endsAt - 1, toFake: ["Date"] });
    await publish(scene.a.hospitalId, scene.atA.id, 70);
    await live.until(hasValue(70));
    vi.setSystemTime(endsAt);
    await publishCanary(scene);
    await runInDurableObject(feed, (object: WardFeed) => object.alarm());
    expect(await live.closed).toMatchObject({ code: 4403 });
    vi.useRealTimers();
    expect(hasCanary(textOf(live))).toBe(false);
  });

  it("with an alarm at that time, also after the feed has slept", async () => {
    const scene = await newScene();
    const endsAt = Date.now() + 15_000;
    await setEnd(scene, endsAt);
    const live = await open(scene);
    const feed = getFeed(scene.a.hospitalId);
    expect(await runInDurableObject(feed, (_, { storage }) => storage.getAlarm())).toBeLessThanOrEqual(endsAt);
    await evictDurableObject(feed);
    await publish(scene.a.hospitalId, scene.atA.id, 70);
    await live.until(hasValue(70));
    vi.useFakeTimers({ now: endsAt, toFake: ["Date"] });
    await publishCanary(scene);
    await runInDurableObject(feed, (object: WardFeed) => object.alarm());
    expect(await live.closed).toMatchObject({ code: 4403 });
    vi.useRealTimers();
    expect(hasCanary(textOf(live))).toBe(false);
  });

  it("is the user's to reconnect until then, with what was missed", async () => {
    const scene = await newScene();
    const live = await open(scene);
    const since = await leave(live);
    await publishFrames(scene, hiddenFrames(scene.atA.id));
    const again = await openLiveView(scene.reader, `?patient_id=${scene.atA.id}&since=${since}`);
    expect(again.frames.map(({ type }) => type)).toEqual(["alert", "limits", "observations", "samples", "view"]);
    again.close();
  });

  const patchReach = async (as: Person, hospitalId: string, emergency_reach: string) => {
    const path = `${API}/hospitals/${hospitalId}`;
    const { data } = await readJson(await sendRequest(path, { as }));
    const headers = { "If-Match": `"${data.version}"` };
    return sendRequest(path, { as, method: "PATCH", json: { emergency_reach }, headers });
  };

  it.each([
    ["of the hospital that holds the record", "a"],
    ["of the reader's hospital", "b"],
  ] as const)("within five seconds after the reach %s has changed", async (_, side) => {
    const scene = await newScene(false);
    const live = await open(scene);
    const { manager, hospitalId } = scene[side];
    const changedAt = Date.now();
    expect((await patchReach(manager, hospitalId, "own_hospital")).status).toBe(200);
    expect(await live.closed).toMatchObject({ code: 4403 });
    expect(Date.now() - changedAt).toBeLessThan(5_000);
    await publishCanary(scene);
    expect(hasCanary(textOf(live))).toBe(false);
  });

  const losses: [string, number, (scene: Scene) => Promise<unknown>][] = [
    ["when the reach is none", 4403, ({ b }) => setReach(b.hospitalId, "none")],
    [
      "after the end of the membership",
      4401,
      ({ reader }) => db.run(sql`UPDATE memberships SET ended_at = 1 WHERE user_id = ${reader.id}`),
    ],
    ["with another role", 4401, ({ reader }) => db.run(sql`UPDATE memberships SET role = 'nurse' WHERE user_id = ${reader.id}`)],
    [
      "when the reader's hospital is closed",
      4401,
      ({ b }) => db.run(sql`UPDATE hospitals SET active = 0 WHERE id = ${b.hospitalId}`),
    ],
    [
      "when the holder's hospital is closed",
      4403,
      ({ a }) => db.run(sql`UPDATE hospitals SET active = 0 WHERE id = ${a.hospitalId}`),
    ],
    ["when the own record is another person's", 4403, ({ atB }) => identify(atB.id, uniqueText())],
    ["when the opened record is no longer identified by staff", 4403, ({ atA }) => identify(atA.id, uniqueText(), "self")],
    [
      "when the access is deleted, with the record at the reader's hospital",
      4403,
      ({ accessId }) => db.run(sql`DELETE FROM emergency_accesses WHERE id = ${accessId}`),
    ],
  ];
  it.each(losses)("%s", async (_, code, change) => {
    const scene = await newScene(false);
    const live = await open(scene);
    await change(scene);
    await deliverAll();
    await publishCanary(scene);
    expect(await live.closed).toMatchObject({ code });
    expect(hasCanary(textOf(live))).toBe(false);
  });

  it("not with the place in the care team that the reader gets meanwhile: it ends with the access", async () => {
    const scene = await newScene();
    const live = await open(scene);
    await addToCareTeam(scene.atA.id, scene.reader.id);
    await deliverAll();
    await publish(scene.a.hospitalId, scene.atA.id, 71);
    await live.until(hasValue(71));
    expect((await end(scene)).status).toBe(200);
    expect(await live.closed).toMatchObject({ code: 4403 });
    (await open(scene)).close();
    const [, later] = await findEvents({ event: "live.open", hospital_id: scene.a.hospitalId });
    expect([later?.basis, later?.detail?.includes(scene.accessId)]).toEqual([null, false]);
  });

  it("not while a further access of the user continues it, which is recorded", async () => {
    const scene = await newScene();
    const live = await open(scene);
    const further = await openInEmergency(scene.reader, scene.atA.id, SEIZURE);
    await deliverAll();
    expect((await end(scene)).status).toBe(200);
    await publish(scene.a.hospitalId, scene.atA.id, 73);
    await live.until(hasValue(73));
    await eventually(async () => {
      const views = await findEvents({ event: "live.view", hospital_id: scene.a.hospitalId });
      expect(views.map(({ detail }) => JSON.parse(detail ?? "{}").emergency_access_id)).toEqual([scene.accessId, further]);
    });
    expect((await end({ ...scene, accessId: further })).status).toBe(200);
    expect(await live.closed).toMatchObject({ code: 4403 });
  });
});
