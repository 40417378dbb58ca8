// A live view of another hospital's patient by consent: vitals of the granted time alone, until the consent ends.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { WardFeed } from "../../src/monitoring/live/ward-feed.ts";
import { deliverChanges } from "../../src/monitoring/patient-object/context/change-delivery.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { addToCareTeam } from "../authz.world.ts";
import { eventually } from "../eventually.ts";
import { withCounters } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import { API, env, findEvents, readJson, sendRequest } from "../world.ts";
import {
  CANARY,
  grant,
  HOUR_MS,
  hasCanary,
  hiddenFrames,
  newScene,
  revoke,
  revokeBy,
  type Scene,
  samplesFrame,
  storeSamples,
} from "./consented-live-world.ts";
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
} from "./live-client.ts";

const db = getDb(env.DB);
afterEach(() => void vi.useRealTimers());

const open = ({ b, atA }: Scene, as = b.nurse) => openLiveView(as, `?patient_id=${atA.id}`);
const handshake = ({ b, atA }: Scene, query = "", as = b.nurse) =>
  sendHandshake(`${API}/live?patient_ids=${atA.id}${query}`, { as });
const publishFrames = ({ a, atA }: Scene, frames: Parameters<WardFeed["publish"]>[1]) =>
  getFeed(a.hospitalId).publish(atA.id, frames);
const publishCanary = (scene: Scene) => publishFrames(scene, [samplesFrame(scene.atA.id, [{ value: null, ago: 0 }])]);
const textOf = ({ frames }: LiveSocket) => JSON.stringify(frames);
const keysOf = (frame: object) => Object.keys(frame).sort();

/** Sends what a view must not show and a sample that it may; of a mixed frame the part that it may. */
async function publishAll(scene: Scene): Promise<void> {
  const { id } = scene.atA;
  await publishFrames(scene, [
    ...hiddenFrames(id),
    { type: "backfill", patient_id: id, count: CANARY, from: new Date(0).toISOString(), to: new Date().toISOString() },
    samplesFrame(id, [
      { value: null, ago: 2 * HOUR_MS },
      { value: 71, ago: 0 },
    ]),
  ]);
}

describe("a view by consent", () => {
  it("shows the vitals of the granted time, and of nothing else anything", async () => {
    const scene = await newScene();
    await storeSamples(scene, [
      { code: "8867-4", value: 70, unit: "/min", ago: 60_000 },
      { code: "8310-5", value: 36.5, unit: "Cel", ago: 2 * HOUR_MS },
    ]);
    await grant(scene);
    const [live, own] = [await open(scene), await open(scene, scene.a.nurse)];
    await publishAll(scene);
    for (const view of [live, own]) await view.until(hasValue(view === live ? 71 : CANARY));
    await drain(live);
    expect(hasCanary(textOf(live))).toBe(false);
    expect(hasCanary(textOf(own))).toBe(true);
    const shown = live.frames.filter(({ type }) => type !== "pong" && type !== "beat");
    expect(shown.map(({ type }) => type)).toEqual(["snapshot", "view", "backfill", "samples"]);
    const [snapshot, , backfill, samples] = shown;
    expect(keysOf(snapshot.patients[0])).toEqual(["as_of", "latest", "patient_id"]);
    expect(snapshot.patients[0].latest.map(({ code, value }: { code: string; value: number }) => [code, value])).toEqual([
      ["8867-4", 70],
    ]);
    expect(keysOf(backfill)).toEqual(["from", "patient_id", "seq", "to", "type"]);
    expect(Date.parse(backfill.from)).toBeGreaterThan(Date.now() - 2 * HOUR_MS);
    expect(keysOf(samples)).toEqual(["patient_id", "samples", "seq", "type"]);
    expect(samples.samples).toHaveLength(1);
    for (const view of [live, own]) view.close();
  });

  it("is limited after the feed has slept, and for a client who reconnects", async () => {
    const scene = await newScene();
    await grant(scene);
    const live = await open(scene);
    await evictDurableObject(getFeed(scene.a.hospitalId));
    await publishAll(scene);
    await live.until(hasValue(71));
    const since = await leave(live);
    expect(hasCanary(textOf(live))).toBe(false);
    await publishAll(scene);
    const again = await openLiveView(scene.b.nurse, `?patient_id=${scene.atA.id}&since=${since}`);
    await again.until(hasValue(71));
    expect(hasCanary(textOf(again))).toBe(false);
    expect(again.frames.map(({ type }) => type)).toEqual(["backfill", "samples", "view"]);
    again.close();
  });

  it("is limited as server-sent events, and ends them", async () => {
    const scene = await newScene();
    const id = await grant(scene);
    const ticket = await createTicket(scene.b.nurse, { patient_ids: [scene.atA.id] });
    const response = await sendRequest(`${API}/live/sse?ticket=${ticket}`);
    const text = response.text();
    await publishAll(scene);
    expect((await revoke(id, scene)).status).toBe(200);
    await publishCanary(scene);
    const events = await text;
    expect(events).toContain('"type":"view"');
    expect(events).toContain('"code":4403');
    expect(hasCanary(events)).toBe(false);
  });

  it("is for named patients, kinds and times that include now, and for staff who see the hospital's own record", async () => {
    const scene = await newScene();
    const { a, b, atA, atB } = scene;
    const statusOf = async (as = b.nurse) => (await handshake(scene, "", as)).status;
    const latestOf = async (as = b.nurse) => (await sendRequest(`${API}/patients/${atA.id}/observations/latest`, { as })).status;
    for (const grantTimes of [{ kinds: ["report:ecg"] }, { until: -60_000 }, { from: HOUR_MS }]) {
      await grant(scene, grantTimes);
      expect([await statusOf(), await latestOf()]).toEqual([404, 404]);
    }
    await grant(scene);
    expect(await statusOf(b.doctor)).toBe(404);
    expect(await latestOf(b.doctor)).toBe(404);
    await addToCareTeam(atB.id, b.doctor.id);
    for (const as of [b.nurse, b.manager, b.doctor]) {
      expect(await latestOf(as)).toBe(200);
      (await open(scene, as)).close();
    }
    await expectProblem(await sendHandshake(`${API}/live?hospital_id=${a.hospitalId}`, { as: b.nurse }), 404, "not_found");
    const mixed = await sendHandshake(`${API}/live?patient_ids=${atA.id},${atB.id}`, { as: b.nurse });
    await expectProblem(mixed, 400, "invalid_request");
  });

  it("has its like in the latest values", async () => {
    const scene = await newScene();
    await storeSamples(scene, [
      { code: "8867-4", value: 70, unit: "/min", ago: 60_000 },
      { code: "8310-5", value: 36.5, unit: "Cel", ago: 2 * HOUR_MS },
    ]);
    const id = await grant(scene);
    const { data } = await readJson(
      await sendRequest(`${API}/patients/${scene.atA.id}/observations/latest`, { as: scene.b.nurse }),
    );
    expect(keysOf(data)).toEqual(["as_of", "latest", "patient_id"]);
    expect(data.latest.map(({ value }: { value: number }) => value)).toEqual([70]);
    const [event] = await findEvents({ event: "observation.read", basis: "consent", hospital_id: scene.a.hospitalId });
    expect(event).toMatchObject({ actor_hospital_id: scene.b.hospitalId, purpose: "PUBHLTH" });
    expect(event?.detail).toContain(id);
  });

  it("stands in the holder's log, with its basis, purpose and consent", async () => {
    const scene = await newScene();
    const id = await grant(scene);
    const live = await open(scene);
    for (const event of ["live.open", "live.view"]) {
      await eventually(async () => {
        const [found] = await findEvents({ event, hospital_id: scene.a.hospitalId });
        expect(found).toMatchObject({ basis: "consent", purpose: "PUBHLTH", actor_hospital_id: scene.b.hospitalId });
        expect(JSON.parse(found?.detail ?? "{}")).toMatchObject({ consent_id: id, patients: 1 });
        expect(found?.subjects).toEqual([scene.atA.id]);
      });
    }
    live.close();
  });
});

describe("a revocation", () => {
  const CLOSED_WITHIN_MS = 1_000;
  /** Without the later delivery of the outbox. */
  const revokeAtFeed = (id: string, scene: Scene) =>
    revokeBy(id, scene, (feed) => ({ endGrant: (consentId) => feed.endGrant(consentId), recheck: async () => undefined }));

  it("closes the views before it is acknowledged, and refuses those that begin afterwards", async () => {
    const scene = await newScene();
    const id = await grant(scene);
    const ticket = await createTicket(scene.b.nurse, { patient_id: scene.atA.id });
    const [live, own] = [await open(scene), await open(scene, scene.a.nurse)];
    const last = Math.max(...live.frames.map(({ seq }) => seq));
    expect((await revokeAtFeed(id, scene)).status).toBe(200);
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

  it("without the call to the feed shows more, which this test notices, until the outbox delivers the change", async () => {
    const scene = await newScene();
    const id = await grant(scene);
    const live = await open(scene);
    const nothing = async () => undefined;
    expect(
      (await revokeBy(id, scene, () => ({ endGrant: nothing, recheck: () => Promise.reject(new Error("down")) }))).status,
    ).toBe(200);
    await publishCanary(scene);
    await live.until(hasValue(CANARY));
    await eventually(async () => expect(await deliverChanges(env, Date.now() + HOUR_MS)).toBeGreaterThan(0));
    await publish(scene.a.hospitalId, scene.atA.id, 72);
    expect(await live.closed).toMatchObject({ code: 4403 });
    expect(receivedValues(live, scene.atA.id)).toEqual([CANARY]);
  });

  it("is not held back by a feed that does not answer", async () => {
    const scene = await newScene();
    const id = await grant(scene);
    const live = await open(scene);
    const answer = await revokeBy(id, scene, (feed) => ({
      endGrant: () => new Promise(() => undefined),
      recheck: () => feed.recheck(),
    }));
    expect(answer.status).toBe(200);
    expect(await live.closed).toMatchObject({ code: 4403 });
  });

  it("refuses each view that opens at the same time and shows it nothing afterwards", async () => {
    const scene = await newScene();
    const id = await grant(scene);
    const opened = await Promise.all(Array.from({ length: 4 }, () => handshake(scene)));
    const opening = Array.from({ length: 4 }, () => handshake(scene));
    const revoked = await revokeAtFeed(id, scene);
    expect(revoked.status).toBe(200);
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

  it("of one of two consents keeps the view by the other", async () => {
    const scene = await newScene();
    const older = await grant(scene, { from: -3 * HOUR_MS });
    const newer = await grant(scene);
    const live = await open(scene);
    expect((await revoke(older, scene)).status).toBe(200);
    await publish(scene.a.hospitalId, scene.atA.id, 73);
    await live.until(hasValue(73));
    expect((await revoke(newer, scene)).status).toBe(200);
    expect(await live.closed).toMatchObject({ code: 4403 });
  });

  it("takes two round trips to D1 and a call per hospital", async () => {
    const scene = await newScene();
    const id = await grant(scene);
    const { env: counted, counts } = withCounters(env);
    const path = `${API}/consents/${id}/revoke`;
    const response = await sendRequest(path, { as: scene.person, method: "POST", json: {}, env: counted });
    expect(response.status).toBe(200);
    expect(counts).toMatchObject({ d1: 2, objects: ["feed.endGrant"] });
  });
});

describe("a view by consent ends", () => {
  it("at the time when the consent expires, or its data end", async () => {
    // Within the lease of the patient's frames.
    const endsIn = 300_000;
    for (const times of [{ expires: endsIn }, { until: endsIn }]) {
      const scene = await newScene();
      await grant(scene, times);
      const live = await open(scene);
      const end = Date.now() + endsIn;
      const feed = getFeed(scene.a.hospitalId);
      vi.useFakeTimers({ now: end + 1, toFake: ["Date"] });
      await publishCanary(scene);
      await runInDurableObject(feed, (object: WardFeed) => object.alarm());
      expect(await live.closed).toMatchObject({ code: 4403 });
      vi.useRealTimers();
      expect(hasCanary(textOf(live))).toBe(false);
    }
  });

  it("with an alarm at that time", async () => {
    const scene = await newScene();
    await grant(scene, { expires: 15_000 });
    const live = await open(scene);
    const alarm = await runInDurableObject(getFeed(scene.a.hospitalId), (_, { storage }) => storage.getAlarm());
    expect(alarm).toBeLessThanOrEqual(Date.now() + 15_000);
    live.close();
  });

  const losses: [string, number, (scene: Scene) => Promise<unknown>][] = [
    [
      "after the end in the care team",
      4403,
      ({ b }) => db.run(sql`UPDATE care_team SET ended_at = 1 WHERE user_id = ${b.doctor.id}`),
    ],
    [
      "after the end of the membership",
      4401,
      ({ b }) => db.run(sql`UPDATE memberships SET ended_at = 1 WHERE user_id = ${b.doctor.id}`),
    ],
    ["when the hospital is closed", 4401, ({ b }) => db.run(sql`UPDATE hospitals SET active = 0 WHERE id = ${b.hospitalId}`)],
    [
      "with another scope of the doctors",
      4401,
      ({ b }) => db.run(sql`UPDATE hospitals SET doctor_scope = 'hospital' WHERE id = ${b.hospitalId}`),
    ],
  ];
  it.each(losses)("%s", async (_, code, change) => {
    const scene = await newScene();
    await addToCareTeam(scene.atB.id, scene.b.doctor.id);
    await grant(scene);
    const live = await open(scene, scene.b.doctor);
    await change(scene);
    while ((await deliverChanges(env)) > 0);
    await publishCanary(scene);
    expect(await live.closed).toMatchObject({ code });
    expect(hasCanary(textOf(live))).toBe(false);
  });
});
