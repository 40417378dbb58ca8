// Bounds of a device's WebSocket: refused samples, unread answers, and backlogs in live views.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { WardFeed } from "../../src/monitoring/live/ward-feed.ts";
import type { PatientFrame } from "../../src/monitoring/patient-object/contract.ts";
import { MAX_QUEUED_SAMPLES } from "../../src/monitoring/patient-object/delivery/publisher.ts";
import type { PatientMonitor } from "../../src/monitoring/patient-object/patient-monitor.ts";
import { MAX_UNREAD_BYTES } from "../../src/monitoring/patient-object/recording/device-sockets.ts";
import { eventually } from "../eventually.ts";
import { API, env, newDevice, newWorld, readJson, sendRequest, type World } from "../world.ts";
import { type LiveSocket, openLiveView } from "./live-client.ts";
import { backdateBinding, HOUR_MS, SPO2, toIso } from "./vitals-world.ts";

let world: World;
let device: Awaited<ReturnType<typeof newDevice>>;
beforeEach(async () => {
  world = await newWorld();
  device = await newDevice(world.nurse, world.patient.id, "bedside_monitor");
  await backdateBinding(device.id, world.patient.id, 24 * HOUR_MS);
});

/** How a device treats heartbeats: returns them, ignores all messages, or answers with numbers that it did not read. */
type Mode = "returns" | "ignores" | "guesses";
type Answer = { type: string; results?: object[]; total?: number; reasons?: Record<string, number>; beat?: number };

async function openStream(mode: Mode = "returns") {
  const { status, webSocket: socket } = await sendRequest(`${API}/observations/stream`, {
    as: device,
    headers: { Upgrade: "websocket" },
  });
  if (!socket) throw new Error(`no socket but ${status}`);
  const answers: Answer[] = [];
  let bytes = 0;
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason })),
  );
  socket.addEventListener("message", ({ data }) => {
    const answer: Answer = JSON.parse(String(data));
    answers.push(answer);
    bytes += String(data).length;
    if (answer.type === "beat" && mode === "returns") socket.send(String(data));
  });
  socket.accept();
  const until = (type: string, n = 1) =>
    eventually(() => expect(answers.filter((answer) => answer.type === type).length).toBeGreaterThanOrEqual(n));
  const send = (samples: unknown[]) => socket.send(JSON.stringify({ type: "samples", samples }));
  return { socket, answers, closed, until, send, bytes: () => bytes };
}

const sampleAt = (at: number, value: number, seq: number) => ({ code: SPO2, value, unit: "%", effective_at: toIso(at), seq });

describe("a frame of bad samples", () => {
  it("is answered with the first ten and the number of each reason", async () => {
    const stream = await openStream();
    stream.send(Array.from({ length: 600 }, (_, i) => (i % 2 ? { code: SPO2 } : 7)));
    await stream.until("refused");
    const refused = stream.answers.find(({ type }) => type === "refused");
    expect(refused?.results).toHaveLength(10);
    expect(refused).toMatchObject({ total: 600, reasons: { item_invalid: 300, value_not_a_number: 300 } });
    expect(JSON.stringify(refused).length).toBeLessThan(2_500);
    stream.socket.close(1000);
  });

  it("sent again and again by a device that reads nothing closes its socket at 256 KiB, and not one that answers heartbeats", async () => {
    for (const mode of ["ignores", "guesses", "returns"] as const) {
      const stream = await openStream(mode);
      const open = { is: true };
      void stream.closed.then(() => Object.assign(open, { is: false }));
      let time = Date.now();
      vi.useFakeTimers({ now: time, toFake: ["Date"] });
      for (let frame = 0; frame < 260 && open.is; frame++) {
        time += 5_000;
        vi.setSystemTime(time);
        stream.send(Array.from({ length: 100 }, () => 7));
        if (frame % 4 === 3) {
          if (mode === "guesses") stream.socket.send(JSON.stringify({ type: "beat", beat: (frame + 1) / 4 }));
          stream.socket.send(JSON.stringify({ type: "flush" }));
          await Promise.race([stream.until("refused", frame), stream.closed]);
          // What was not read is remembered through hibernation.
          if (mode === "guesses" && frame === 99) await evictDurableObject(env.PATIENT_MONITOR.getByName(world.patient.id));
        }
      }
      vi.useRealTimers();
      if (mode !== "returns") {
        expect(await stream.closed).toMatchObject({ code: 1013, reason: "answers are not read" });
        expect(stream.bytes()).toBeLessThanOrEqual(MAX_UNREAD_BYTES);
      } else {
        expect(stream.bytes()).toBeGreaterThan(MAX_UNREAD_BYTES);
        expect(stream.socket.readyState).toBe(WebSocket.OPEN);
        stream.socket.close(1000);
      }
    }
  });
});

describe("a device that stops sending", () => {
  it("has its last samples stored and acknowledged by the alarm, in one row and within a minute", async () => {
    const stream = await openStream();
    const before = Date.now();
    stream.send([sampleAt(before, 97, 1)]);
    const stub = env.PATIENT_MONITOR.getByName(world.patient.id);
    const readAlarm = () => runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
    // Before the first sample the alarm is that of a later rule.
    await eventually(async () => expect(await readAlarm()).toBeLessThanOrEqual(before + 70_000));
    expect(stream.answers.map(({ type }) => type)).not.toContain("ack");
    const written: string[] = [];
    await runInDurableObject(stub, async (instance: PatientMonitor, { storage }) => {
      const exec = vi.spyOn(Object.getPrototypeOf(storage.sql), "exec");
      await instance.alarm();
      written.push(...exec.mock.calls.map(([query]) => String(query)).filter((query) => /^INSERT|^UPDATE|^DELETE/.test(query)));
      exec.mockRestore();
    });
    await stream.until("ack");
    expect(written.map((query) => query.slice(0, 16))).toEqual(["INSERT INTO open"]);
    await evictDurableObject(stub);
    const { data } = await readJson(await sendRequest(`${API}/patients/${world.patient.id}/observations`, { as: world.nurse }));
    expect(data).toHaveLength(1);
    stream.socket.close(1000);
  });
});

describe("a backlog after an outage", () => {
  const typesOf = ({ frames }: LiveSocket) => frames.map(({ type }) => type);

  it("is announced to live views, and only the newest and recent samples are pushed", async () => {
    const live = await openLiveView(world.nurse, `?patient_id=${world.patient.id}`);
    const stream = await openStream();
    const start = Date.now() - 3_000 * 2_000;
    for (let sent = 0; sent < 3_000; sent += 500) {
      stream.send(
        Array.from({ length: 500 }, (_, i) => sampleAt(start + (sent + i) * 2_000, 90 + ((sent + i) % 9), sent + i + 1)),
      );
    }
    stream.socket.send(JSON.stringify({ type: "flush" }));
    await stream.until("ack");
    await live.until(
      ({ type, samples }) => type === "samples" && samples.some(({ value }: { value: number }) => value === 90 + (2_999 % 9)),
    );
    await eventually(() => {
      const told = live.frames.filter(({ type }) => type === "samples" || type === "backfill");
      expect(told.reduce((sum, frame) => sum + (frame.count ?? frame.samples.length), 0)).toBe(3_000);
    });
    const pushed = live.frames.filter(({ type }) => type === "samples");
    expect(Math.max(...pushed.map(({ samples }) => samples.length))).toBeLessThanOrEqual(200);
    expect(Math.max(...live.frames.map((frame) => JSON.stringify(frame).length))).toBeLessThan(80_000);
    const announced = live.frames.filter(({ type }) => type === "backfill");
    expect(announced.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(2_000);
    expect(announced.map(({ from }) => from).sort()[0]).toBe(toIso(start));
    expect(typesOf(live)).not.toContain("gap");
    stream.socket.close(1000);
    live.close();
  });

  it("waits for an unreachable feed in a bounded number of samples; the others are announced", async () => {
    const live = await openLiveView(world.nurse, `?patient_id=${world.patient.id}`);
    const sent: PatientFrame[][] = [];
    const feed = { isReachable: false, failures: 0 };
    vi.spyOn(WardFeed.prototype, "publish").mockImplementation(async (_, frames) => {
      if (!feed.isReachable) {
        feed.failures += 1;
        throw new Error("unreachable");
      }
      sent.push(frames);
      return Date.now() + HOUR_MS;
    });
    const stream = await openStream();
    const start = Date.now() - 60_000;
    for (let n = 0; n < 55; n++) {
      stream.send(Array.from({ length: 200 }, (_, i) => sampleAt(start + n * 1_000 + i, 97, n * 200 + i + 1)));
      if (n % 10 !== 9) continue;
      stream.socket.send(JSON.stringify({ type: "flush" }));
      await stream.until("ack", (n + 1) / 10);
    }
    const { failures } = feed;
    await eventually(() => expect(feed.failures).toBeGreaterThan(failures + 1));
    feed.isReachable = true;
    const count = (type: string) =>
      sent.flat().reduce((sum, frame) => {
        if (frame.type !== type) return sum;
        return sum + (frame.type === "samples" ? frame.samples.length : frame.type === "backfill" ? frame.count : 0);
      }, 0);
    await eventually(() => expect(count("samples") + count("backfill")).toBe(11_000));
    expect(count("samples")).toBeGreaterThan(MAX_QUEUED_SAMPLES / 2);
    expect(count("samples")).toBeLessThanOrEqual(MAX_QUEUED_SAMPLES);
    vi.restoreAllMocks();
    stream.socket.close(1000);
    live.close();
  });
});
