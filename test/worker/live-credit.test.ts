// The limits of a live view: frames and beats that are not acknowledged, catching up, and views per user.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { MAX_UNACKED_BYTES, MAX_UNREAD_BYTES } from "../../src/monitoring/live/clients.ts";
import type { WardFeed } from "../../src/monitoring/live/ward-feed.ts";
import { PatientMonitor } from "../../src/monitoring/patient-object/patient-monitor.ts";
import { eventually } from "../eventually.ts";
import { expectProblem } from "../token-forge.ts";
import { API, env, newLogin, newPerson, newWorld } from "../world.ts";
import {
  acknowledge,
  createHeavyFrame,
  createSampleFrame,
  drain,
  getFeed,
  hasValue,
  type LiveSocket,
  lastSeq,
  leave,
  newSessions,
  openLiveView,
  publish,
  range,
  receivedValues,
  runAlarmAfter,
  sendHandshake,
  typesAfter,
  typesOf,
} from "./live-client.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a client that does not acknowledge", () => {
  it("gets 500 frames, delays no other client, and has caught up after one acknowledgement", async () => {
    const { nurse, manager, patient, hospitalId } = await newWorld();
    const query = `?patient_id=${patient.id}`;
    const silent = await openLiveView(nurse, query, { acks: false });
    const reader = await openLiveView(manager, query);
    for (const start of range(0, 11)) {
      await publish(hospitalId, patient.id, ...range(start * 50 + 1, start * 50 + 50));
      await reader.until(hasValue(start * 50 + 50));
    }
    await drain(silent);
    // The snapshot and the list of the view are two of the 500.
    expect(receivedValues(silent, patient.id)).toEqual(range(1, 498));
    expect(receivedValues(reader, patient.id)).toEqual(range(1, 600));
    const seq = lastSeq(silent);
    acknowledge(silent, seq);
    await silent.until((frame) => frame.seq > seq && frame.type === "view");
    expect(typesAfter(silent, seq)).toEqual(["gap", "snapshot", "view"]);
    await publish(hospitalId, patient.id, 601);
    await silent.until(hasValue(601));
    silent.close();
    reader.close();
  });

  it("gets 384 KiB, snapshots included", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const live = await openLiveView(nurse, `?patient_id=${patient.id}`, { acks: false });
    for (const n of range(1, 5)) await getFeed(hospitalId).publish(patient.id, [createHeavyFrame(patient.id, n)]);
    await drain(live);
    expect(receivedValues(live, patient.id)).toEqual([1, 2, 3]);
    const seq = lastSeq(live);
    acknowledge(live, seq);
    await live.until((frame) => frame.seq > seq && frame.type === "view");
    expect(typesAfter(live, seq)).toEqual(["gap", "snapshot", "view"]);
    live.close();
  });

  it("gets a beat when frames are withheld, so that one who acknowledges in longer steps catches up at once", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const live = await openLiveView(nurse, `?patient_id=${patient.id}`);
    for (const n of range(1, 4)) await getFeed(hospitalId).publish(patient.id, [createHeavyFrame(patient.id, n)]);
    await drain(live);
    expect(receivedValues(live, patient.id)).toEqual([1, 2, 3]);
    const beat = live.frames.findLast(({ type }) => type === "beat");
    expect(beat, "a beat before its time").toBeDefined();
    await live.until((frame) => frame.seq > beat.seq && frame.type === "view");
    expect(typesAfter(live, beat.seq)).toEqual(["gap", "snapshot", "view"]);
    live.close();
  });

  it("is closed with 1013 after a minute without any acknowledgement, when frames are withheld", async () => {
    const { nurse, manager, patient, hospitalId } = await newWorld();
    const live = await openLiveView(nurse, `?patient_id=${patient.id}`, { acks: false });
    const idle = await openLiveView(manager, `?patient_id=${patient.id}`, { acks: false });
    acknowledge(idle, lastSeq(idle));
    for (const n of range(1, 5)) await getFeed(hospitalId).publish(patient.id, [createHeavyFrame(patient.id, n)]);
    await drain(idle);
    acknowledge(idle, lastSeq(idle));
    await drain(idle);
    await runAlarmAfter(hospitalId, 61_000);
    expect(await live.closed).toMatchObject({ code: 1013 });
    await idle.until(({ type }) => type === "beat");
    idle.close();
  });

  it("is closed with 1013 a minute after a beat that it did not return, also when a feed hibernated and little was sent", async () => {
    const { nurse, manager, patient, hospitalId } = await newWorld();
    const quiet = await openLiveView(nurse, `?patient_id=${patient.id}`, { acks: false });
    const returning = await openLiveView(manager, `?patient_id=${patient.id}`);
    await runAlarmAfter(hospitalId, 20_500);
    await drain(quiet);
    acknowledge(quiet, lastSeq(quiet));
    await drain(returning);
    await evictDurableObject(getFeed(hospitalId));
    await runAlarmAfter(hospitalId, 81_000);
    expect(await quiet.closed).toMatchObject({ code: 1013 });
    await publish(hospitalId, patient.id, 7);
    await returning.until(hasValue(7));
    returning.close();
  });

  it("holds 768 KiB if it acknowledges numbers that it learned elsewhere, and catches up once it returns the beat", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const live = await openLiveView(nurse, `?patient_id=${patient.id}`, { acks: false });
    for (const n of range(1, 12)) {
      await getFeed(hospitalId).publish(patient.id, [createHeavyFrame(patient.id, n)]);
      await drain(live);
      acknowledge(live, lastSeq(live));
      await drain(live);
    }
    const held = live.frames.reduce((sum, frame) => sum + JSON.stringify(frame).length, 0);
    expect(receivedValues(live, patient.id)).toEqual(range(1, 8));
    expect(held).toBeLessThan(MAX_UNREAD_BYTES + 101_000);
    const seq = lastSeq(live);
    const { beat } = live.frames.findLast(({ type }) => type === "beat");
    live.socket.send(JSON.stringify({ type: "ack", seq, beat: beat + 1 }));
    await drain(live);
    expect(typesAfter(live, seq)).toEqual([]);
    live.socket.addEventListener("message", ({ data }) => {
      const frame = data === "pong" ? { type: "pong" } : JSON.parse(String(data));
      if (frame.type === "beat") live.socket.send(JSON.stringify({ type: "ack", seq: frame.seq, beat: frame.beat }));
    });
    live.socket.send(JSON.stringify({ type: "ack", seq, beat }));
    await live.until((frame) => frame.seq > seq && frame.type === "view");
    expect(typesAfter(live, seq).filter((type) => type !== "beat")).toEqual(["gap", "snapshot", "view"]);
    live.close();
  });

  it("is not forgotten by a feed that hibernated", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const live = await openLiveView(nurse, `?patient_id=${patient.id}`, { acks: false });
    await publish(hospitalId, patient.id, ...range(1, 490));
    await live.until(hasValue(490));
    await evictDurableObject(getFeed(hospitalId));
    await publish(hospitalId, patient.id, ...range(491, 520));
    await drain(live);
    expect(receivedValues(live, patient.id)).toEqual(range(1, 498));
    await evictDurableObject(getFeed(hospitalId));
    const seq = lastSeq(live);
    acknowledge(live, seq);
    await live.until((frame) => frame.seq > seq && frame.type === "view");
    expect(typesAfter(live, seq)).toEqual(["gap", "snapshot", "view"]);
    live.close();
  });

  it("gets a snapshot when it reconnects before it has caught up", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const query = `?patient_id=${patient.id}`;
    const live = await openLiveView(nurse, query, { acks: false });
    for (const n of range(1, 5)) await getFeed(hospitalId).publish(patient.id, [createHeavyFrame(patient.id, n)]);
    await drain(live);
    const since = await leave(live);
    const back = await openLiveView(nurse, `${query}&since=${since}`);
    // Either the two withheld frames or a snapshot: nothing is lost silently.
    const replayed = receivedValues(back, patient.id);
    expect(replayed.length > 0 ? replayed : typesOf(back)).toEqual(replayed.length > 0 ? [4, 5] : ["gap", "snapshot", "view"]);
    back.close();
  });

  it("holds, with a hundred others, no more than the sum of their bounds, and memory is free when they are closed", async () => {
    const { patient, hospitalId } = await newWorld();
    const query = `?patient_id=${patient.id}`;
    const stalled: LiveSocket[] = [];
    for (const session of await newSessions(hospitalId, 10)) {
      for (let n = 0; n < 10; n++) stalled.push(await openLiveView(session, query, { acks: false }));
    }
    for (const n of range(1, 30)) await getFeed(hospitalId).publish(patient.id, [createHeavyFrame(patient.id, n)]);
    for (const live of stalled) await drain(live);
    const held = stalled.map(({ frames }) => frames.reduce((sum, frame) => sum + JSON.stringify(frame).length, 0));
    expect(Math.max(...held)).toBeLessThan(MAX_UNACKED_BYTES + 100);
    // Without the bound each would hold all thirty frames.
    expect(Math.max(...held)).toBeLessThan(30 * 100_000);
    await runAlarmAfter(hospitalId, 61_000);
    for (const live of stalled) expect(await live.closed).toMatchObject({ code: 1013 });
    expect(await runInDurableObject(getFeed(hospitalId), (_, state) => state.getWebSockets().length)).toBe(0);
  });
});

describe("a client that acknowledges", () => {
  it("is never closed for what others send, and has the present state at the end", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const live = await openLiveView(nurse, `?patient_id=${patient.id}`);
    for (const n of range(1, 60)) {
      const values =
        n % 10 === 0
          ? [createHeavyFrame(patient.id, 10_000 + n)]
          : range(n * 100, n * 100 + 99).map((value) => createSampleFrame(patient.id, value));
      await getFeed(hospitalId).publish(patient.id, values);
    }
    await drain(live);
    acknowledge(live, lastSeq(live));
    await drain(live);
    acknowledge(live, lastSeq(live));
    await publish(hospitalId, patient.id, 20_000);
    await live.until(hasValue(20_000));
    expect(live.socket.readyState).toBe(WebSocket.OPEN);
    live.close();
  });

  it("is free again after one acknowledgement of all", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const live = await openLiveView(nurse, `?patient_id=${patient.id}`, { acks: false });
    for (const start of [0, 400, 800]) {
      await publish(hospitalId, patient.id, ...range(start + 1, start + 400));
      const { seq } = await live.until(hasValue(start + 400));
      live.socket.send(JSON.stringify({ type: "ack", seq }));
      live.socket.send("ping");
      await live.until(({ type }) => type === "pong");
    }
    expect(receivedValues(live, patient.id)).toEqual(range(1, 1200));
    live.close();
  });
});

describe("patients' objects that hang", () => {
  /** Lets snapshots of all patients fail or wait until they are released. */
  function holdSnapshots() {
    const gate = { fails: true, failed: 0, waiting: 0, open: () => {} };
    const opened = new Promise<void>((resolve) => {
      gate.open = resolve;
    });
    const original = PatientMonitor.prototype.watch;
    vi.spyOn(PatientMonitor.prototype, "watch").mockImplementation(async function (this: PatientMonitor, until) {
      if (gate.fails) {
        gate.failed += 1;
        throw new Error("no snapshot");
      }
      gate.waiting += 1;
      await opened;
      return original.call(this, until);
    });
    return gate;
  }

  it("delay no recheck of rights, and each other's views no longer than one round", async () => {
    const { nurse, manager, patient, hospitalId } = await newWorld();
    const query = `?patient_id=${patient.id}`;
    const lagging = [];
    for (let n = 0; n < 4; n++) lagging.push(await openLiveView(manager, query, { acks: false }));
    const revoked = await openLiveView(nurse, query, { acks: false });
    vi.useFakeTimers({ now: Date.now() + 61_000, toFake: ["Date"] });
    for (const n of range(1, 5)) await getFeed(hospitalId).publish(patient.id, [createHeavyFrame(patient.id, n)]);
    const gate = holdSnapshots();
    for (const live of lagging) {
      await drain(live);
      acknowledge(live, lastSeq(live));
    }
    await eventually(() => expect(gate.failed).toBe(lagging.length));
    gate.fails = false;
    await env.DB.prepare("UPDATE sessions SET revoked_at = 1 WHERE id = ?").bind(nurse.sessionId).run();
    const started = performance.now();
    const alarm = runInDurableObject(getFeed(hospitalId), (feed: WardFeed) => feed.alarm());
    expect(await revoked.closed).toMatchObject({ code: 4401 });
    // One after the other before the recheck, the four would have taken their deadlines: twelve seconds.
    expect(performance.now() - started).toBeLessThan(6_000);
    await eventually(() => expect(gate.waiting).toBeGreaterThanOrEqual(lagging.length));
    gate.open();
    await alarm;
    for (const live of lagging) {
      await live.until((frame) => frame.type === "gap");
      live.close();
    }
  });

  it("let no frame be lost silently when the buffer has turned over meanwhile", async () => {
    const { nurse, manager, patient, stranger, hospitalId } = await newWorld();
    const other = await openLiveView(manager, `?patient_ids=${patient.id},${stranger.id}`, { acks: false });
    const gate = holdSnapshots();
    gate.fails = false;
    const opening = openLiveView(nurse, `?patient_id=${patient.id}`);
    await eventually(() => expect(gate.waiting).toBeGreaterThan(0));
    await publish(hospitalId, patient.id, 42);
    const frames = range(1, 500).map((n) => createSampleFrame(stranger.id, n));
    for (let n = 0; n < 11; n++) await getFeed(hospitalId).publish(stranger.id, frames);
    gate.open();
    const live = await opening;
    expect(typesOf(live)).toEqual(["snapshot", "view"]);
    await runAlarmAfter(hospitalId, 20_500);
    await live.until(({ type }) => type === "gap");
    await eventually(() =>
      expect(typesOf(live).filter((type) => type !== "beat")).toEqual(["snapshot", "view", "gap", "snapshot", "view"]),
    );
    live.close();
    other.close();
  });
});

describe("live views", () => {
  it("are at most twenty per user and five per patient's account, in all sessions together", async () => {
    const { hospitalId, patient, self } = await newWorld();
    const nurse = await newPerson("nurse", hospitalId);
    const standing = { role: "nurse" as const, hospitalId, doctorScope: "care_team" as const };
    const sessions = [nurse, await newLogin(nurse.id, standing), await newLogin(nurse.id, standing)];
    const open = async (as: { token: string }) => {
      const response = await sendHandshake(`${API}/live?patient_id=${patient.id}`, { as });
      response.webSocket?.accept();
      return response;
    };
    const statuses = [];
    for (let n = 0; n < 22; n++) statuses.push((await open(sessions[n % 3] ?? nurse)).status);
    expect(statuses).toEqual([...Array(20).fill(101), 429, 429]);
    await expectProblem(await open(nurse), 429, "rate_limited");
    const own = [];
    for (let n = 0; n < 6; n++) own.push((await open(self)).status);
    expect(own).toEqual([...Array(5).fill(101), 429]);
  });
});
