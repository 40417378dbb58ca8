// The live stream: snapshot first, order, resuming, a hundred sockets, server-sent events, and invalid client messages.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { END_GRACE_MS } from "../../src/monitoring/live/event-stream.ts";
import type { WardFeed } from "../../src/monitoring/live/ward-feed.ts";
import { deliverChanges } from "../../src/monitoring/patient-object/context/change-delivery.ts";
import { expectProblem } from "../token-forge.ts";
import { API, env, newWorld, sendRequest } from "../world.ts";
import {
  acceptSocket,
  createHeavyFrame,
  createSampleFrame,
  createTicket,
  getFeed,
  hasValue,
  type LiveSocket,
  leave,
  newSessions,
  numbersOf,
  openLiveView,
  publish,
  range,
  receivedValues,
  runAlarmAfter,
  sendHandshake,
  startMonitoring,
  typesOf,
} from "./live-client.ts";

const increasing = (numbers: number[]) => numbers.every((n, i) => i === 0 || n > (numbers[i - 1] ?? n));
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
    const { patient, stranger, hospitalId } = await newWorld();
    await startMonitoring(patient.id, stranger.id);
    const logins = await newSessions(hospitalId, 10);
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

  it("pass on every two seconds that the feed answers, one ping at a time", async () => {
    const { nurse, patient } = await newWorld();
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const { body } = await sendRequest(`${API}/live/sse?patient_id=${patient.id}`, { as: nurse });
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const readUntil = async (part: string) => {
      while (!text.includes(part)) text += (await reader?.read())?.value ?? "";
    };
    await readUntil('"view"');
    expect(text).not.toContain("pong");
    for (let i = 0; i < 3; i++) vi.advanceTimersByTime(2_000);
    await readUntil(": pong\n\n");
    expect(text.match(/pong/g)).toHaveLength(1);
    const second = readUntil(": pong\n\n: pong\n\n");
    // The next ping follows when the comment is written.
    for (; !text.includes(": pong\n\n: pong\n\n"); await scheduler.wait(1)) vi.advanceTimersByTime(2_000);
    await second;
    await reader?.cancel();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it("that nobody reads free what was not read soon after the feed has closed them", async () => {
    const { nurse, patient, hospitalId } = await newWorld();
    const { body } = await sendRequest(`${API}/live/sse?patient_id=${patient.id}`, { as: nurse });
    const feed = getFeed(hospitalId);
    for (const n of range(1, 5)) await feed.publish(patient.id, [createHeavyFrame(patient.id, n)]);
    await runAlarmAfter(hospitalId, 21_000);
    vi.useFakeTimers({ now: Date.now() + 82_000, toFake: ["Date", "setTimeout", "clearTimeout"] });
    await runInDurableObject(feed, (object: WardFeed) => object.alarm());
    while (vi.getTimerCount() === 0) await scheduler.wait(10);
    vi.advanceTimersByTime(END_GRACE_MS + 1);
    vi.useRealTimers();
    await scheduler.wait(10);
    await expect(new Response(body).text()).rejects.toThrow("did not respond within");
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
