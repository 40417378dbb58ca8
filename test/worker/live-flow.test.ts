// The live stream: snapshot first, order, resuming, the limit of unacknowledged frames, and invalid client messages.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { MAX_UNACKED_BYTES } from "../../src/monitoring/live/clients.ts";
import type { WardFeed } from "../../src/monitoring/live/ward-feed.ts";
import { deliverChanges } from "../../src/monitoring/patient-object/context/change-delivery.ts";
import type { PatientFrame } from "../../src/monitoring/patient-object/contract.ts";
import { expectProblem } from "../token-forge.ts";
import { API, env, newLogin, newWorld, type Person, sendRequest } from "../world.ts";
import {
  acceptSocket,
  createSampleFrame,
  createTicket,
  getFeed,
  hasValue,
  type LiveSocket,
  openLiveView,
  publish,
  receivedValues,
  sendHandshake,
  startMonitoring,
} from "./live-client.ts";

const typesOf = ({ frames }: LiveSocket) => frames.map(({ type }) => type);
const numbersOf = ({ frames }: LiveSocket): number[] => frames.map(({ seq }) => seq).filter((seq) => seq !== undefined);
const increasing = (numbers: number[]) => numbers.every((n, i) => i === 0 || n > (numbers[i - 1] ?? n));
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

async function leave(live: LiveSocket): Promise<number> {
  live.close();
  await live.closed;
  return Math.max(...numbersOf(live));
}

describe("a view", () => {
  it("starts with the snapshots of the patients' objects, and continues with their frames", async () => {
    const { nurse, patient } = await newWorld();
    await startMonitoring(patient.id);
    await deliverChanges(env);
    const object = env.PATIENT_MONITOR.getByName(patient.id);
    const pulse = (value: number) => ({ code: "8867-4", value, unit: "/min", effective_at: new Date().toISOString() });
    const record = (value: number) =>
      object.record({ kind: "person", id: nurse.id }, { items: [pulse(value)], sent_at: null, conditions: null });
    await record(72);
    const live = await openLiveView(nurse);
    expect(typesOf(live)).toEqual(["snapshot", "view"]);
    expect(live.frames[0].patients).toMatchObject([
      { patient_id: patient.id, monitoring: "ward", latest: [{ code: "8867-4", value: 72 }], news2: { status: "incomplete" } },
    ]);
    await record(181);
    await live.until(hasValue(181));
    expect(increasing(numbersOf(live))).toBe(true);
    // Names are not in the stream, only in responses to requests.
    expect(JSON.stringify(live.frames)).not.toContain(patient.canary);
    live.close();
  });

  it("receives changed limits, with who set those in force", async () => {
    const { nurse, patient } = await newWorld();
    await startMonitoring(patient.id);
    await deliverChanges(env);
    const live = await openLiveView(nurse);
    const pulseOf = (limits: { code: string }[]) => limits.find(({ code }) => code === "8867-4");
    expect(pulseOf(live.frames[0].patients[0].limits)).toMatchObject({ critical_high: 131, silence_s: 120, set_by: "default" });
    const path = `${API}/patients/${patient.id}/alert-rules/heart_rate`;
    const json = { critical_high: 135, silence_s: 60 };
    const put = await sendRequest(path, { as: nurse, method: "PUT", json });
    expect([200, 201]).toContain(put.status);
    const told = await live.until(({ type }) => type === "limits");
    expect(told.patient_id).toBe(patient.id);
    expect(pulseOf(told.limits)).toMatchObject({ critical_high: 135, silence_s: 60, set_by: "patient" });
    // Facts without a change, for instance after a name change, are not sent.
    const settings = await sendRequest(`${API}/patients/${patient.id}/monitoring`, {
      as: nurse,
      method: "PATCH",
      json: { spo2_scale: 2 },
      headers: { "If-Match": '"1"' },
    });
    expect(settings.status).toBe(200);
    await deliverChanges(env);
    expect(live.frames.filter(({ type }) => type === "limits")).toHaveLength(1);
    live.close();
  });

  it("has frames in the order in which they were published", async () => {
    const { nurse, patient, stranger, hospitalId } = await newWorld();
    const live = await openLiveView(nurse, `?patient_ids=${patient.id},${stranger.id}`);
    await Promise.all(range(1, 40).map((n) => publish(hospitalId, n % 2 ? patient.id : stranger.id, n, n + 100)));
    await live.until(hasValue(140));
    expect(increasing(numbersOf(live))).toBe(true);
    const values = [...receivedValues(live, patient.id), ...receivedValues(live, stranger.id)];
    expect(values.sort((a, b) => a - b)).toEqual([...range(1, 40), ...range(101, 140)]);
    live.close();
  });
});

describe("a client that resumes with since", () => {
  it("gets what was missed, each once, and no snapshot", async () => {
    const { nurse, patient, stranger, hospitalId } = await newWorld();
    const query = `?patient_id=${patient.id}`;
    const first = await openLiveView(nurse, query);
    await publish(hospitalId, patient.id, 1, 2, 3);
    await first.until(hasValue(3));
    const since = await leave(first);
    await publish(hospitalId, patient.id, 4);
    await publish(hospitalId, stranger.id, 666);
    await publish(hospitalId, patient.id, 5, 6);
    const back = await openLiveView(nurse, `${query}&since=${since}`);
    await publish(hospitalId, patient.id, 7);
    await back.until(hasValue(7));
    expect(typesOf(back)).toEqual(["samples", "samples", "samples", "view", "samples"]);
    expect(receivedValues(back, patient.id)).toEqual([4, 5, 6, 7]);
    expect(Math.min(...numbersOf(back))).toBeGreaterThan(since);
    back.close();
  });

  it("misses and repeats nothing however often the line breaks; without since it would", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const told = async (resumes: boolean): Promise<number[]> => {
      const seen: number[] = [];
      let since: number | null = null;
      for (const round of range(1, 12)) {
        const resume: string = since !== null && resumes ? `&since=${since}` : "";
        const live = await openLiveView(nurse, `?patient_id=${patient.id}${resume}`);
        await publish(hospitalId, patient.id, round * 10 + 1, round * 10 + 2);
        await live.until(hasValue(round * 10 + (round % 2) + 1));
        since = await leave(live);
        seen.push(...receivedValues(live, patient.id));
        await publish(hospitalId, patient.id, round * 10 + 3);
      }
      return seen;
    };
    const all = range(1, 12).flatMap((round) => [1, 2, 3].map((n) => round * 10 + n));
    expect(await told(true)).toEqual(all.slice(0, -1));
    const careless = await told(false);
    expect(careless).not.toContain(13);
    expect(careless.length).toBeLessThan(all.length - 1);
  });

  it("gets a gap and a snapshot after the feed has restarted", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const query = `?patient_id=${patient.id}`;
    const first = await openLiveView(nurse, query);
    await publish(hospitalId, patient.id, 1);
    await first.until(hasValue(1));
    const since = await leave(first);
    await evictDurableObject(getFeed(hospitalId));
    const back = await openLiveView(nurse, `${query}&since=${since}`);
    expect(typesOf(back)).toEqual(["gap", "snapshot", "view"]);
    const [gap, snapshot] = back.frames;
    expect(gap).toMatchObject({ from: since });
    expect(gap.to).toBeGreaterThan(since);
    expect(gap.to).toBeLessThan(snapshot.seq);
    expect(Math.min(...numbersOf(back))).toBeGreaterThan(since);
    back.close();
  });

  it("gets a gap when it is longer than the buffer, or too much to send at once", async () => {
    const { nurse, manager, patient, hospitalId } = await newWorld();
    const query = `?patient_id=${patient.id}`;
    // One subscriber stays, so that the feed keeps listening.
    const stays = await openLiveView(manager, query);
    const first = await openLiveView(nurse, query);
    const since = await leave(first);
    await publish(hospitalId, patient.id, ...range(1, 250));
    await stays.until(hasValue(250));
    const soon = await openLiveView(nurse, `${query}&since=${since}`);
    expect(receivedValues(soon, patient.id)).toEqual(range(1, 250));
    expect(typesOf(soon)).not.toContain("gap");
    soon.close();
    await publish(hospitalId, patient.id, 251);
    const late = await openLiveView(nurse, `${query}&since=${since}`);
    expect(typesOf(late)).toEqual(["gap", "snapshot", "view"]);
    late.close();
    stays.close();
  });

  it("gets a gap for numbers that this feed never sent", async () => {
    const { nurse, patient } = await newWorld();
    for (const since of ["0", "1", "9007199254740991"]) {
      const live = await openLiveView(nurse, `?patient_id=${patient.id}&since=${since}`);
      expect(typesOf(live)).toEqual(["gap", "snapshot", "view"]);
      live.close();
    }
    for (const since of ["-1", "1.5", "x", ""]) {
      const refused = await sendHandshake(`${API}/live?patient_id=${patient.id}&since=${since}`, { as: nurse });
      await expectProblem(refused, 400, "invalid_request");
    }
  });

  it("to another view gets that view's snapshot", async () => {
    const { nurse, patient, stranger, hospitalId } = await newWorld();
    const first = await openLiveView(nurse, `?patient_id=${patient.id}`);
    await publish(hospitalId, patient.id, 1);
    await first.until(hasValue(1));
    const since = await leave(first);
    const other = await openLiveView(nurse, `?patient_ids=${patient.id},${stranger.id}&since=${since}`);
    expect(typesOf(other)).toEqual(["gap", "snapshot", "view"]);
    other.close();
  });
});

/** A frame of about 100,000 characters. */
function createHeavyFrame(patientId: string, value: number): PatientFrame {
  const frame = createSampleFrame(patientId, value);
  if (frame.type === "samples") for (const sample of frame.samples) sample.observation_id = "x".repeat(100_000);
  return frame;
}

const acknowledge = ({ socket }: LiveSocket, seq: number) => socket.send(JSON.stringify({ type: "ack", seq }));
/** Waits until everything sent so far has arrived. */
async function drain(live: LiveSocket): Promise<void> {
  const before = live.frames.length;
  live.socket.send("ping");
  await live.until((frame) => frame.type === "pong" && live.frames.indexOf(frame) >= before);
}
const lastSeq = (live: LiveSocket) => Math.max(...numbersOf(live));
const typesAfter = (live: LiveSocket, seq: number) => live.frames.flatMap((frame) => (frame.seq > seq ? [frame.type] : []));
/** Lets the feed's alarm run as if so much time had passed. */
async function runAlarmAfter(hospitalId: string, ms: number): Promise<void> {
  vi.useFakeTimers({ now: Date.now() + ms, toFake: ["Date"] });
  await runInDurableObject(getFeed(hospitalId), (feed: WardFeed) => feed.alarm());
  vi.useRealTimers();
}

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
    const { nurse, patient, hospitalId } = await newWorld();
    const query = `?patient_id=${patient.id}`;
    const stalled: LiveSocket[] = [];
    for (let login = 0; login < 10; login++) {
      const session = await newLogin(nurse.id, { role: "nurse", hospitalId, doctorScope: "care_team" });
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

describe("an invalid client message", () => {
  const cases: [string, (live: LiveSocket, patientId: string) => unknown, number][] = [
    ["no JSON", ({ socket }) => socket.send("hello"), 1008],
    ["no type", ({ socket }) => socket.send("{}"), 1008],
    ["an unknown type", ({ socket }) => socket.send('{"type":"subscribe","patient_id":"x"}'), 1008],
    ["a frame of its own", ({ socket }, id) => socket.send(JSON.stringify(createSampleFrame(id, 66))), 1008],
    ["another member", ({ socket }) => socket.send('{"type":"ack","seq":1,"patient_id":"x"}'), 1008],
    ["a number that is none", ({ socket }) => socket.send('{"type":"ack","seq":-1}'), 1008],
    ["a number that was not sent", ({ socket }) => socket.send('{"type":"ack","seq":9007199254740991}'), 1008],
    ["NUL and lone surrogates", ({ socket }) => socket.send("\0\ud800"), 1008],
    ["bytes", ({ socket }) => socket.send(new TextEncoder().encode('{"type":"ack","seq":1}')), 1003],
    ["more than 4 KB", ({ socket }) => socket.send(`{"type":"token","access_token":"${"x".repeat(4100)}"}`), 1009],
    ["more than 4 KB of UTF-8", ({ socket }) => socket.send("क".repeat(1366)), 1009],
    ["51 messages in a second", ({ socket }) => range(1, 110).map(() => socket.send('{"type":"ack","seq":1}')), 1008],
  ];
  it.each(cases)("%s", async (_, say, code) => {
    const { nurse, manager, patient, hospitalId } = await newWorld();
    const live = await openLiveView(nurse, `?patient_id=${patient.id}`, { acks: false });
    const other = await openLiveView(manager, `?patient_id=${patient.id}`);
    say(live, patient.id);
    expect(await live.closed).toMatchObject({ code });
    await publish(hospitalId, patient.id, 33);
    await other.until(hasValue(33));
    expect(receivedValues(other, patient.id)).toEqual([33]);
    other.close();
  });

  it("a ping is answered and costs nothing", async () => {
    const { nurse, patient } = await newWorld();
    const live = await openLiveView(nurse, `?patient_id=${patient.id}`);
    for (const _ of range(1, 100)) live.socket.send("ping");
    await live.until(({ type }) => type === "pong");
    live.close();
  });
});

describe("a hundred sockets", () => {
  it("get every frame once", async () => {
    const world = await newWorld();
    const { nurse, patient, stranger, hospitalId } = world;
    await startMonitoring(patient.id, stranger.id);
    const standing = { role: "nurse" as const, hospitalId, doctorScope: "care_team" as const };
    const logins: Pick<Person, "token">[] = await Promise.all(range(1, 10).map(() => newLogin(nurse.id, standing)));
    const lives = await Promise.all(logins.flatMap((as) => range(1, 10).map(() => openLiveView(as))));
    expect(lives).toHaveLength(100);
    const delays: number[] = [];
    for (const n of range(1, 60)) {
      const started = performance.now();
      const arrived = lives.map((live) => live.until(hasValue(n)).then(() => delays.push(performance.now() - started)));
      await publish(hospitalId, n % 2 ? patient.id : stranger.id, n);
      await Promise.all(arrived);
    }
    for (const live of lives) {
      const values = [...receivedValues(live, patient.id), ...receivedValues(live, stranger.id)];
      expect(values.sort((a, b) => a - b)).toEqual(range(1, 60));
      live.close();
    }
    const p95 = delays.sort((a, b) => a - b)[Math.floor(delays.length * 0.95)] ?? Number.POSITIVE_INFINITY;
    console.info(`100 sockets, ${delays.length} deliveries: p95 ${p95.toFixed(1)} ms`);
    expect(delays).toHaveLength(6000);
    expect(p95).toBeLessThan(500);
  });

  it("that are opened at once each begin with a snapshot", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    await startMonitoring(patient.id);
    const tickets = await Promise.all(range(1, 10).map(() => createTicket(nurse)));
    const answers = await Promise.all(tickets.map((ticket) => sendHandshake(`${API}/live?ticket=${ticket}`)));
    const lives = answers.map((answer) => acceptSocket(answer));
    await Promise.all(lives.map((live) => live.until(({ type }) => type === "view")));
    await publish(hospitalId, patient.id, 5);
    await Promise.all(lives.map((live) => live.until(hasValue(5))));
    for (const live of lives) {
      expect(typesOf(live)).toEqual(["snapshot", "view", "samples"]);
      live.close();
    }
  });
});

describe("server-sent events", () => {
  type Event = { id: string | null; event: string | null; data: string };

  async function* eventsOf(response: Response): AsyncGenerator<Event> {
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      text += read.value;
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) {
        const line = (name: string) =>
          event
            .split("\n")
            .find((l) => l.startsWith(`${name}: `))
            ?.slice(name.length + 2) ?? null;
        const data = line("data");
        if (data !== null) yield { id: line("id"), event: line("event"), data };
      }
    }
  }

  it("carry the same numbered frames, and continue after Last-Event-ID", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const ticket = await createTicket(nurse, { patient_id: patient.id });
    const response = await sendRequest(`${API}/live/sse?ticket=${ticket}`);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const events = eventsOf(response);
    const next = async () => (await events.next()).value;
    const types = [JSON.parse((await next()).data).type, JSON.parse((await next()).data).type];
    expect(types).toEqual(["snapshot", "view"]);
    await publish(hospitalId, patient.id, 1, 2);
    await next();
    const { id, data } = await next();
    expect(JSON.parse(data)).toMatchObject({ seq: Number(id), type: "samples", samples: [{ value: 2 }] });
    await events.return(undefined);
    await publish(hospitalId, patient.id, 3);
    const again = await sendRequest(`${API}/live/sse?patient_id=${patient.id}`, { as: nurse, headers: { "Last-Event-ID": id } });
    const back = eventsOf(again);
    expect(JSON.parse((await back.next()).value.data)).toMatchObject({ type: "samples", samples: [{ value: 3 }] });
    await back.return(undefined);
  });

  it("end, and say why, when access ends", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const events = eventsOf(await sendRequest(`${API}/live/sse?patient_id=${patient.id}`, { as: nurse }));
    await events.next();
    await events.next();
    await env.DB.prepare("UPDATE sessions SET revoked_at = 1 WHERE id = ?").bind(nurse.sessionId).run();
    await getFeed(hospitalId).recheck();
    const end = (await events.next()).value;
    expect(end).toMatchObject({ id: null, event: "end" });
    expect(JSON.parse(end.data)).toMatchObject({ code: 4401 });
    expect((await events.next()).done).toBe(true);
  });

  it("acknowledge for their reader, so that a stream outlives 500 frames", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const events = eventsOf(await sendRequest(`${API}/live/sse?patient_id=${patient.id}`, { as: nurse }));
    await events.next();
    await events.next();
    for (const n of range(1, 600)) {
      await publish(hospitalId, patient.id, n);
      expect(JSON.parse((await events.next()).value.data).samples[0].value).toBe(n);
    }
    await events.return(undefined);
  });
});
