// Bounds of a device's WebSocket: refused samples, unread answers, and backlogs in live views.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { MAX_UNREAD_BYTES } from "../../src/monitoring/patient-object/recording/device-sockets.ts";
import { API, newDevice, newWorld, sendRequest, type World } from "../world.ts";
import { type LiveSocket, openLiveView } from "./live-client.ts";
import { backdateBinding, HOUR_MS, SPO2, toIso } from "./vitals-world.ts";

let world: World;
let device: Awaited<ReturnType<typeof newDevice>>;
beforeEach(async () => {
  world = await newWorld();
  device = await newDevice(world.nurse, world.patient.id, "bedside_monitor");
  await backdateBinding(device.id, world.patient.id, 24 * HOUR_MS);
});

type Answer = { type: string; results?: object[]; total?: number; reasons?: Record<string, number>; beat?: number };

/** A device's socket that answers heartbeats unless it is `deaf`. */
async function openStream(deaf = false) {
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
    if (answer.type === "beat" && !deaf) socket.send(String(data));
  });
  socket.accept();
  const until = (type: string, n = 1) =>
    vi.waitFor(() => expect(answers.filter((answer) => answer.type === type).length).toBeGreaterThanOrEqual(n), {
      timeout: 10_000,
    });
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
    for (const isDeaf of [true, false]) {
      const stream = await openStream(isDeaf);
      const open = { is: true };
      void stream.closed.then(() => Object.assign(open, { is: false }));
      let time = Date.now();
      vi.useFakeTimers({ now: time, toFake: ["Date"] });
      for (let frame = 0; frame < 260 && open.is; frame++) {
        time += 5_000;
        vi.setSystemTime(time);
        stream.send(Array.from({ length: 100 }, () => 7));
        if (frame % 4 === 3) {
          stream.socket.send(JSON.stringify({ type: "flush" }));
          await Promise.race([stream.until("refused", frame), stream.closed]);
        }
      }
      vi.useRealTimers();
      if (isDeaf) {
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
    await vi.waitFor(() => {
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
});
