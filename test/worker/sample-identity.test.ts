// Samples that come again: the same ones are known by what their sender said, whenever and however they are sent.
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { IncomingBatch } from "../../src/monitoring/patient-object/contract.ts";
import { times } from "../long.ts";
import { API, env, newDevice, newPatient, newWorld, readJson, sendRequest, type World } from "../world.ts";
import { backdateBinding, HEART_RATE, HOUR_MS, type Item, SPO2, toIso } from "./vitals-world.ts";

let world: World;
let device: Awaited<ReturnType<typeof newDevice>>;
const start = Date.now();
const clock = (time: number) => vi.setSystemTime(time);
beforeEach(async () => {
  vi.useFakeTimers({ now: start, toFake: ["Date"] });
  world = await newWorld();
  device = await newDevice(world.nurse, world.patient.id, "bedside_monitor");
  const json = { monitoring: "home" };
  const headers = { "If-Match": '"1"' };
  await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse, method: "PATCH", json, headers });
  await backdateBinding(device.id, world.patient.id, 24 * HOUR_MS);
  // Waiting for a condition moves a clock that is faked.
  clock(start);
});
afterEach(() => void vi.useRealTimers());

const item = (code: string, value: number, time: number, seq?: number): Item => ({
  code,
  value,
  unit: code === SPO2 ? "%" : "/min",
  effective_at: toIso(time),
  ...(seq !== undefined && { seq }),
});
type Body = { samples: Item[]; sent_at?: string; conditions?: string[] };
const send = async (json: Body, as: { token: string } = device) =>
  (await readJson(await sendRequest(`${API}/observations`, { as, json }))).data;
const statuses = ({ results }: { results: { status: string }[] }) => results.map(({ status }) => status);
const monitor = (id = world.patient.id) => env.PATIENT_MONITOR.getByName(id);

/** Everything that a resend must not change, except the time of the answer. */
async function readState(id = world.patient.id) {
  const seen = await monitor(id).snapshot();
  if (!seen) throw new Error("no snapshot");
  const { as_of: _, devices, ...snapshot } = seen;
  const query = { codes: null, from: 0, to: Date.now() + 30 * HOUR_MS, limit: 1000, after: null };
  const skews = devices.map(({ clock_skew_ms, conditions }) => ({ clock_skew_ms, conditions }));
  return { snapshot, skews, samples: (await monitor(id).history(query)).samples };
}

/** The body, built by a device whose clock is wrong by `skew`, at the time that the test's clock shows. */
const bodyAt = (skew: number, samples: [code: string, value: number, ago: number][], seq?: number): Body => ({
  samples: samples.map(([code, value, ago], i) => item(code, value, Date.now() + skew - ago, seq === undefined ? seq : seq + i)),
  sent_at: toIso(Date.now() + skew),
});

describe("a body that is sent again", () => {
  it.each([
    ["right clock, 135 s later", 0, 135_000, undefined],
    ["right clock, 135 s later, with seq", 0, 135_000, 1],
    ["clock 3 h ahead, 41 s later", 3 * HOUR_MS, 41_000, undefined],
    ["clock 3 h ahead, 41 s later, with seq", 3 * HOUR_MS, 41_000, 1],
    ["clock 3 h behind, 41 s later", -3 * HOUR_MS, 41_000, 1],
    ["right clock, 3 h later", 0, 3 * HOUR_MS, 1],
  ])("adds nothing, moves nothing and alarms nothing: %s", async (_, skew, later, seq) => {
    await send(bodyAt(skew, [[HEART_RATE, 71, 0]], seq && 100));
    clock(start + 60_000);
    await send(bodyAt(skew, [[HEART_RATE, 72, 0]], seq && 200));
    clock(start + 120_000);
    const old = { ...bodyAt(skew, [[SPO2, 84, 1000], [HEART_RATE, 73, 0]], seq && 300), conditions: ["leads_off"] }; // biome-ignore format: one body
    expect(statuses(await send(old))).toEqual(["stored", "stored"]);
    clock(start + 125_000);
    await send({ ...bodyAt(skew, [[SPO2, 97, 0]], seq && 400), conditions: [] });
    const before = await readState();
    expect(before.samples[0]).toMatchObject({ value: 97, effective_at: toIso(start + 125_000) });
    clock(start + 120_000 + later);
    expect(statuses(await send(old))).toEqual(["duplicate", "duplicate"]);
    expect(await readState()).toEqual({ ...before, snapshot: { ...before.snapshot, news2: expect.anything() } });
    // Its clock is still the one that it had.
    await send(bodyAt(skew, [[HEART_RATE, 74, 0]], seq && 500));
    expect((await readState()).samples[0]).toMatchObject({ value: 74, effective_at: toIso(Date.now()) });
  });

  it("keeps its own time when the first attempt never arrived", async () => {
    await send(bodyAt(0, [[SPO2, 97, 0]]));
    const lost = bodyAt(0, [[SPO2, 84, -1000]]);
    clock(start + 136_000);
    expect(statuses(await send(lost))).toEqual(["stored"]);
    expect((await readState()).snapshot.latest).toMatchObject([{ value: 84, effective_at: toIso(start + 1000) }]);
  });

  it("goes to nobody else after the device was assigned to another patient", async () => {
    const other = await newPatient(world.hospitalId, world.nurse);
    await send(bodyAt(3 * HOUR_MS, [[HEART_RATE, 71, 0]]));
    clock(start + 20_000);
    const body = bodyAt(3 * HOUR_MS, [[HEART_RATE, 72, 0]]);
    expect(statuses(await send(body))).toEqual(["stored"]);
    clock(start + 60_000);
    await sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.nurse, json: { patient_id: other.id } });
    const before = await readState();
    clock(start + 160_000);
    expect(statuses(await send(body))).toEqual(["duplicate"]);
    expect((await readState()).samples).toEqual(before.samples);
    expect((await readState(other.id)).samples).toEqual([]);
    // The clock is known at the new patient from the first request on.
    expect(statuses(await send(bodyAt(3 * HOUR_MS, [[HEART_RATE, 80, 0]])))).toEqual(["stored"]);
    expect((await readState(other.id)).snapshot.latest).toMatchObject([{ value: 80, effective_at: toIso(start + 160_000) }]);
  });
});

describe("a clock that is far off", () => {
  it("makes the samples of the first request history: not the latest, no alarm", async () => {
    const first = await send(bodyAt(3 * HOUR_MS, [[SPO2, 70, 0]]));
    expect(first.results).toMatchObject([{ status: "stored", note: "clock_unconfirmed" }]);
    expect(await readState()).toMatchObject({ snapshot: { latest: [], alerts: [] }, samples: [{ value: 70 }] });
    clock(start + 1000);
    expect((await send(bodyAt(3 * HOUR_MS, [[SPO2, 71, 0]]))).results[0].note).toBeUndefined();
    expect(await readState()).toMatchObject({ snapshot: { latest: [{ value: 71 }], alerts: [{ priority: "high" }] } });
  });

  it("is not believed from a queue that is sent after an outage of three hours", async () => {
    await send(bodyAt(0, [[HEART_RATE, 71, 0]]));
    const queue = Array.from({ length: 20 }, (_, i) => {
      clock(start + (i + 1) * 1000);
      return bodyAt(0, [[SPO2, 84, 0]]);
    });
    for (const [i, body] of queue.entries()) {
      clock(start + 3 * HOUR_MS + i * 50);
      expect((await send(body)).results).toMatchObject([{ status: "stored", note: "clock_unconfirmed" }]);
    }
    const { samples, snapshot } = await readState();
    expect(samples[0]).toMatchObject({ value: 84, effective_at: toIso(start + 20_000) });
    expect(snapshot).toMatchObject({ latest: [{ value: 71 }], alerts: [] });
  });

  it("that is set right again is believed by the second request", async () => {
    for (const [i, skew] of [3 * HOUR_MS, 3 * HOUR_MS, 0, 0].entries()) {
      clock(start + i * 1000);
      await send(bodyAt(skew, [[HEART_RATE, 70 + i, 0]]));
    }
    expect((await readState()).snapshot.latest).toMatchObject([{ value: 73, effective_at: toIso(start + 3000) }]);
  });
});

describe("a device that counts from one again", () => {
  it("loses nothing of its backlog, and staff can see the restart", async () => {
    await send({ samples: [1, 2, 3].map((n) => item(HEART_RATE, 70 + n, start - 10_000 + n, n)) });
    const backlog = [1, 2, 3].map((n) => item(HEART_RATE, 80 + n, start - 60_000 + n, n));
    const data = await send({ samples: backlog });
    expect(statuses(data)).toEqual(["stored", "stored", "stored"]);
    expect(data.results.map(({ note }: { note?: string }) => note)).toEqual(["sequence_restarted", undefined, undefined]);
    expect((await monitor().snapshot())?.devices).toMatchObject([{ sequence_restarted_at: toIso(start) }]);
    expect(statuses(await send({ samples: backlog }))).toEqual(["duplicate", "duplicate", "duplicate"]);
    expect((await readState()).samples).toHaveLength(6);
  });

  it("is not suspected when codes of one moment share a number", async () => {
    await send({ samples: [item(HEART_RATE, 70, start, 1), item(HEART_RATE, 71, start + 1000, 2)] });
    const late = await send({ samples: [item(SPO2, 97, start, 1), item(SPO2, 97, start + 1000, 2)] });
    expect(late.results).toMatchObject([{ status: "stored" }, { status: "stored" }]);
    expect((await monitor().snapshot())?.devices[0]).not.toHaveProperty("sequence_restarted_at");
  });

  it("keeps two values of one second that have numbers of their own", async () => {
    const data = await send({ samples: [item(HEART_RATE, 70, start, 1), item(HEART_RATE, 75, start, 2)] });
    expect(statuses(data)).toEqual(["stored", "stored"]);
  });
});

describe("any resend of any batch", () => {
  const record = (batch: IncomingBatch) => monitor().record({ kind: "device", credential: device.credentialId }, batch);
  const value = fc.record({
    code: fc.constantFrom(HEART_RATE, SPO2),
    value: fc.integer({ min: 60, max: 100 }),
    ago: fc.integer({ min: -60_000, max: 3 * HOUR_MS }),
    seq: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
  });
  const request = fc.record({
    wait: fc.integer({ min: 0, max: 600_000 }),
    skew: fc.constantFrom(null, 0, 0, 90_000, -200_000, 2 * HOUR_MS, 2 * HOUR_MS, -2 * HOUR_MS),
    values: fc.array(value, { minLength: 1, maxLength: 6 }),
  });
  const resend = fc.record({
    which: fc.nat(),
    keep: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
    isReversed: fc.boolean(),
    restamp: fc.option(fc.integer({ min: -2 * HOUR_MS, max: 2 * HOUR_MS })),
    wait: fc.integer({ min: 0, max: 3 * HOUR_MS }),
  });

  it("changes nothing: whole, in part, in another order, later, with another clock", async () => {
    let begin = start;
    const property = fc.asyncProperty(
      fc.array(request, { minLength: 1, maxLength: 6 }),
      fc.array(resend, { minLength: 1, maxLength: 4 }),
      async (requests, resends) => {
        begin += 24 * HOUR_MS;
        let now = begin;
        const sent: IncomingBatch[] = [];
        for (const { wait, skew, values } of requests) {
          now += wait;
          clock(now);
          const items = values.map(({ code, value, ago, seq }) => item(code, value, now + (skew ?? 0) - ago, seq));
          const batch = { items, sent_at: skew === null ? null : now + skew, conditions: null };
          const answer = await record(batch);
          const kept = items.filter((_, i) => answer.known && answer.results[i]?.status === "stored");
          if (kept.length > 0) sent.push({ ...batch, items: kept });
        }
        const before = await readState();
        for (const { which, keep, isReversed, restamp, wait } of resends) {
          const batch = sent[which % Math.max(1, sent.length)];
          const part = batch?.items.filter((_, i) => keep[i % keep.length]) ?? [];
          if (!batch || part.length === 0) continue;
          now += wait;
          clock(now);
          const items = isReversed ? part.toReversed() : part;
          const again = await record({ ...batch, items, sent_at: restamp === null ? batch.sent_at : now + restamp });
          expect(again.known && again.results.every(({ status }) => status === "duplicate"), JSON.stringify(again)).toBe(true);
          // The score ages by itself.
          expect(await readState()).toEqual({ ...before, snapshot: { ...before.snapshot, news2: expect.anything() } });
        }
      },
    );
    await fc.assert(property, { numRuns: times(15, 300), endOnFailure: true });
  });
});
