// Sets of observations, attempts and pauses, through HTTP.
import { beforeEach, describe, expect, it } from "vitest";
import { API, newWard, newWorld, readJson, sendRequest, type World } from "../world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
type Values = Record<string, readonly [number | string, string]>;
const WELL: Values = {
  "9279-1": [16, "/min"],
  "2708-6": [97, "%"],
  "3151-8": [0, "L/min"],
  "8480-6": [120, "mm[Hg]"],
  "8462-4": [80, "mm[Hg]"],
  "8867-4": [70, "/min"],
  "67775-7": ["A", "1"],
  "8310-5": [37, "Cel"],
};
/** Respiration 3, saturation 2, pulse 2, temperature 1. */
const EIGHT: Values = { ...WELL, "9279-1": [25, "/min"], "2708-6": [92, "%"], "8867-4": [115, "/min"], "8310-5": [38.5, "Cel"] };

let world: World;
let ward: string;
let path: string;
beforeEach(async () => {
  world = await newWorld();
  ward = await newWard(world.manager);
  path = `${API}/patients/${world.patient.id}`;
  const json = { date_of_birth: "1970-01-01", monitoring: "ward", ward_id: ward };
  const headers = { "If-Match": '"1"' };
  expect((await sendRequest(path, { as: world.nurse, method: "PATCH", json, headers })).status).toBe(200);
});

const iso = (ago: number) => new Date(Date.now() - ago).toISOString();
const toSamples = (values: Values) => Object.entries(values).map(([code, [value, unit]]) => ({ code, value, unit }));
const newSet = (values: Values, confirmed_score: number | null, more: object = {}) => ({
  effective_at: iso(0),
  samples: toSamples(values),
  confirmed_score,
  ...more,
});
async function send(json: object, as = world.nurse, headers: Record<string, string> = {}) {
  const response = await sendRequest(`${path}/observation-sets`, { as, json, headers });
  return { status: response.status, body: await readJson(response) };
}
const later = (iso: string, ms: number) => new Date(Date.parse(iso) + ms).toISOString();
const readBoard = async () => {
  const { data } = await readJson(await sendRequest(`${API}/wards/${ward}/board`, { as: world.nurse }));
  return data.patients[0];
};

describe("a complete set", () => {
  it("is filed with the confirmed score, and moves the due time on the board", async () => {
    expect((await readBoard()).observations).toMatchObject({ mode: "spot", status: "never" });
    const set = newSet(EIGHT, 8);
    const { status, body } = await send(set);
    expect(status).toBe(201);
    expect(body.data.results).toHaveLength(8);
    expect(body.data.score).toMatchObject({ status: "complete", score: 8, as_of: set.effective_at });
    const due_at = later(set.effective_at, 30 * MINUTE);
    const due = {
      mode: "spot",
      status: "not_due",
      due_at,
      overdue_at: later(due_at, 15 * MINUTE),
      last_attempt: null,
      pause: null,
    };
    expect(body.data.observations).toEqual(due);
    expect((await readBoard()).observations).toEqual(due);
  });

  it("with another score than the confirmed one stores nothing, and answers the score", async () => {
    const { status, body } = await send(newSet(EIGHT, 0));
    expect({ status, code: body.code }).toEqual({ status: 409, code: "score_changed" });
    expect(body.score).toMatchObject({ score: 8, risk: "high", parts: { respiratory_rate: 3 } });
    expect(await readBoard()).toMatchObject({ latest: [], observations: { status: "never" } });
  });
});

describe("an attempt", () => {
  it("changes no score, is shown with its reason, and makes the next set due from its own time", async () => {
    const first = newSet(WELL, 0, { effective_at: iso(HOUR) });
    expect((await send(first)).status).toBe(201);
    const refused = newSet({ "9279-1": [25, "/min"] }, null, { partial_reason: "refused" });
    const { status, body } = await send(refused);
    expect(status).toBe(201);
    expect(body.data.score).toMatchObject({ score: 0, as_of: first.effective_at });
    expect(body.data.observations).toMatchObject({
      status: "not_due",
      due_at: later(refused.effective_at, 12 * HOUR),
      last_attempt: { at: refused.effective_at, reason: "refused" },
    });
    const shown = await readBoard();
    expect(shown.news2).toMatchObject({ score: 0, as_of: first.effective_at });
    expect(shown.latest.find(({ code }: { code: string }) => code === "9279-1").value).toBe(25);
  });
});

describe("a pause", () => {
  const pause = (json: object) => sendRequest(`${path}/observation-pause`, { as: world.nurse, method: "PUT", json });

  it("has nothing due until the return, warns of open tasks, and has a set due when it ends", async () => {
    expect((await send(newSet(EIGHT, 8))).status).toBe(201);
    const expected_return_at = iso(-HOUR);
    const { data } = await readJson(await pause({ reason: "procedure", expected_return_at }));
    expect(data.observations).toMatchObject({
      status: "paused",
      due_at: null,
      pause: { reason: "procedure", expected_return_at },
    });
    expect(data.open_tasks.alerts).toBeGreaterThan(0);
    expect(data.open_tasks.due_at).not.toBeNull();
    expect((await readBoard()).observations).toMatchObject({ status: "paused" });
    const ended = await sendRequest(`${path}/observation-pause`, { as: world.nurse, method: "DELETE" });
    expect((await readJson(ended)).data.observations).toMatchObject({ status: "due", pause: null });
    expect((await sendRequest(`${path}/observation-pause`, { as: world.nurse, method: "DELETE" })).status).toBe(404);
  });
});
