// Changes outside of D1: the audit log has their begin before the effect and their success after it.
import { beforeAll, describe, expect, it } from "vitest";
import { interceptStores, withAppendFault } from "../stores.ts";
import { API, env, newPatient, newWorld, readAuditEvents, readJson, sendRequest, type World } from "../world.ts";
import { countSamples } from "./faults-world.ts";
import { createMonitoredPatient, createSample } from "./monitored-patient.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

/** Names and outcomes of the events of a request, oldest first. */
const traceOf = async (response: Response) => {
  const events = await readAuditEvents(response.headers.get("x-request-id") ?? "");
  return events
    .sort((a, b) => a.recorded_at - b.recorded_at || b.event.length - a.event.length)
    .map(({ event, outcome, reason }) => [event, outcome, reason]);
};
const bring = (patient_id: string, samples: object[], of: Env = env) =>
  sendRequest(`${API}/observations`, { as: world.nurse, json: { patient_id, samples }, env: of });

describe("a change outside of D1", () => {
  it("has its begin and its success, and the success is in the log before the response", async () => {
    const { id } = await newPatient(world.hospitalId, world.nurse);
    const { env: counted, calls } = withAppendFault(env, { when: "slow", count: 0 });
    const response = await bring(id, [createSample(70)], counted);
    expect([response.status, calls.stored]).toEqual([200, 1]);
    expect(await traceOf(response)).toEqual([
      ["observation.create_begin", "success", null],
      ["observation.create", "success", null],
    ]);
  });

  it("is a 503 with its begin only when neither the log nor D1 takes its success", async () => {
    const { id } = await newPatient(world.hospitalId, world.nurse);
    const response = await bring(
      id,
      [createSample(70)],
      withAppendFault(env, { when: "before", count: 2, isStagingDown: true }).env,
    );
    expect(response.status).toBe(503);
    expect(await countSamples(id)).toBe(1);
    expect(await traceOf(response)).toEqual([["observation.create_begin", "success", null]]);
  });

  it("has its success in D1 when the log does not take it", async () => {
    const { alertId } = await createMonitoredPatient(world);
    const { env: faulty, calls } = withAppendFault(env, { when: "before", count: 2 });
    const response = await sendRequest(`${API}/alerts/${alertId}/acknowledge`, { as: world.nurse, method: "POST", env: faulty });
    expect([response.status, calls]).toMatchObject([200, { failed: 2, stored: 0 }]);
    expect(await traceOf(response)).toEqual([
      ["alert.acknowledge_begin", "success", null],
      ["alert.acknowledge", "success", null],
    ]);
  });

  it("has no success when its object fails, whose effect is then unknown", async () => {
    const { id } = await newPatient(world.hospitalId, world.nurse);
    const failing = interceptStores(env, ({ op }, run) =>
      op === "monitor.record" ? Promise.reject(new Error("injected fault")) : run(),
    );
    const response = await bring(id, [createSample(70)], failing);
    expect(response.status).toBe(503);
    expect(await traceOf(response)).toEqual([["observation.create_begin", "success", null]]);
  });

  it("has failed when nothing of it was stored; what was stored before is a success again", async () => {
    const { id } = await newPatient(world.hospitalId, world.nurse);
    const refused = await bring(id, [{ ...createSample(70), unit: "furlong" }]);
    expect((await readJson(refused)).data).toMatchObject({ stored: 0, refused: 1 });
    expect(await traceOf(refused)).toEqual([
      ["observation.create_begin", "success", null],
      ["observation.create", "failed", "nothing_stored"],
    ]);
    const sample = createSample(71);
    for (const counts of [{ stored: 1 }, { duplicate: 1 }]) {
      const sent = await bring(id, [sample]);
      const { data } = await readJson(sent);
      expect(data).toMatchObject(counts);
      expect((await traceOf(sent)).at(-1)).toEqual(["observation.create", "success", null]);
    }
  });

  it("has failed when an alert that is cleared meanwhile takes no action", async () => {
    const { alertId } = await createMonitoredPatient(world);
    const act = (verb: string) => sendRequest(`${API}/alerts/${alertId}/${verb}`, { as: world.nurse, method: "POST" });
    const answers = await Promise.all([act("resolve"), act("resolve")]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const late = answers.find(({ status }) => status === 409) as Response;
    expect(await traceOf(late)).toContainEqual(["alert.resolve", "failed", "conflict"]);
    expect(await traceOf(late)).not.toContainEqual(["alert.resolve", "success", null]);
  });
});
