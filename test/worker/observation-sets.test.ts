// Sets of observations, attempts and pauses, through HTTP.
import { beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../eventually.ts";
import { API, findEvents, newPatient, newWard, newWorld, readJson, sendRequest, type World } from "../world.ts";

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

  it("whose pressure contradicts a stored one of its time is refused with that reason, and nothing is stored", async () => {
    const effective_at = iso(MINUTE);
    const systolic = { ...newSet({ "8480-6": [80, "mm[Hg]"] }, null, { partial_reason: "asleep" }), effective_at };
    expect((await send(systolic)).status).toBe(201);
    const diastolic = { ...newSet({ "8462-4": [90, "mm[Hg]"] }, null, { partial_reason: "asleep" }), effective_at };
    const { status, body } = await send(diastolic);
    expect({ status, errors: body.errors }).toMatchObject({
      status: 400,
      errors: [{ path: "samples.0.value", code: "contradictory" }],
    });
    const { data } = await readJson(await sendRequest(`${path}/observations`, { as: world.nurse }));
    expect(data.map(({ code, value, status }: Record<string, unknown>) => [code, value, status])).toEqual([
      ["8480-6", 80, "final"],
    ]);
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

const key = () => ({ "Idempotency-Key": `set-${crypto.randomUUID()}` });
const readHistory = async () => {
  const { data } = await readJson(await sendRequest(`${path}/observations?limit=100`, { as: world.nurse }));
  return data.length;
};
const auditOf = async (event: string) => {
  const rows = await findEvents({ event, entity_id: world.patient.id });
  return rows.map(({ outcome, reason }) => [outcome, reason]);
};

describe("a set that is sent again", () => {
  it("with its key has the same answer and nothing new, also two at once", async () => {
    const set = newSet(WELL, 0);
    const headers = key();
    const [first, second] = await Promise.all([send(set, world.nurse, headers), send(set, world.nurse, headers)]);
    const third = await send(set, world.nurse, headers);
    expect([first.status, second.status, third.status]).toEqual([201, 201, 201]);
    for (const { body } of [second, third]) expect(body.data).toEqual(first.body.data);
    expect(await readHistory()).toBe(8);
    expect(await auditOf("observation_set.create")).toEqual([["success", null]]);
    expect(await auditOf("observation_set.replay")).toEqual([
      ["success", null],
      ["success", null],
    ]);
  });

  it("without a key has the same results, and with its key another set is refused", async () => {
    const set = newSet(WELL, 0);
    const headers = key();
    const { body } = await send(set, world.nurse, headers);
    expect((await send(set)).body.data).toEqual(body.data);
    const other = await send(newSet(EIGHT, 8), world.nurse, headers);
    expect({ status: other.status, code: other.body.code }).toEqual({ status: 409, code: "idempotency_key_reused" });
    expect(await readHistory()).toBe(8);
  });

  it("after a refusal may have the same key with the score that the refusal said", async () => {
    const headers = key();
    const { body } = await send(newSet(EIGHT, 7), world.nurse, headers);
    expect((await send(newSet(EIGHT, body.score.score), world.nurse, headers)).status).toBe(201);
    expect(await auditOf("observation_set.create")).toEqual([
      ["failed", "score_changed"],
      ["success", null],
    ]);
    expect(await auditOf("observation_set.create_begin")).toEqual([
      ["success", null],
      ["success", null],
    ]);
  });

  it("is answered as stored when the patient's scale has changed since", async () => {
    const set = newSet({ ...WELL, "2708-6": [90, "%"] }, 3, { spo2_scale: 1 });
    const headers = key();
    expect((await send(set, world.nurse, headers)).status).toBe(201);
    const scale = { as: world.nurse, method: "PATCH", json: { spo2_scale: 2 }, headers: { "If-Match": '"1"' } };
    expect((await sendRequest(`${path}/monitoring`, scale)).status).toBe(200);
    expect((await send(set, world.nurse, headers)).status).toBe(201);
    const other = await send({ ...set, effective_at: iso(0) });
    expect({ status: other.status, code: other.body.code }).toEqual({ status: 409, code: "scale_changed" });
    expect(await readHistory()).toBe(8);
  });
});

describe("a set whose values were entered in error", () => {
  const correct = async (ids: string[], json: object) => {
    for (const id of ids)
      expect((await sendRequest(`${API}/observations/${id}`, { as: world.nurse, method: "PATCH", json })).status).toBe(200);
  };
  const toIds = (body: { data: { results: { observation_id: string }[] } }) =>
    body.data.results.map(({ observation_id }) => observation_id);
  const IN_ERROR = { status: "entered-in-error", reason: "Wrong patient" };

  it("counts, is judged and satisfies the round when it is filed again, and a repetition of the first restores nothing", async () => {
    const set = newSet(EIGHT, 8, { effective_at: iso(MINUTE) });
    const headers = key();
    const first = await send(set, world.nurse, headers);
    await correct(toIds(first.body), IN_ERROR);
    expect(await readBoard()).toMatchObject({ news2: { status: "incomplete" }, observations: { status: "never" } });

    const repeated = await send(set, world.nurse, headers);
    expect(repeated.status).toBe(201);
    expect(toIds(repeated.body)).toEqual(toIds(first.body));
    expect(await readBoard()).toMatchObject({ news2: { status: "incomplete" }, observations: { status: "never" } });

    const wrong = await send({ ...set, confirmed_score: 7 }, world.nurse, key());
    expect({ status: wrong.status, code: wrong.body.code }).toEqual({ status: 409, code: "score_changed" });
    const again = key();
    const second = await send(set, world.nurse, again);
    expect(second.status).toBe(201);
    expect(second.body.data).toMatchObject({ score: { status: "complete", score: 8 }, observations: { status: "not_due" } });
    expect(toIds(second.body).filter((id) => toIds(first.body).includes(id))).toEqual([]);
    expect((await send(set, world.nurse, again)).body.data).toEqual(second.body.data);
    expect((await send(set)).body.data).toEqual(second.body.data);
    expect(await readHistory()).toBe(16);
  });

  it("in part is completed by the same set, and an amended value is not repeated by its original", async () => {
    const set = newSet(EIGHT, 8, { effective_at: iso(MINUTE) });
    const [first = "", ...rest] = toIds((await send(set, world.nurse, key())).body);
    await correct([first], IN_ERROR);
    expect((await send(set, world.nurse, key())).body.data.score).toMatchObject({ status: "complete", score: 8 });
    expect(await readHistory()).toBe(9);
    await correct(rest.slice(0, 1), { status: "amended", value: 96, reason: "Misread" });
    const { status, body } = await send(set, world.nurse, key());
    expect({ status, errors: body.errors }).toMatchObject({
      status: 400,
      errors: [{ path: "samples.1.value", code: "value_conflict" }],
    });
    const amended = { ...set, samples: toSamples({ ...EIGHT, "2708-6": [96, "%"] }), confirmed_score: 6 };
    expect((await send(amended, world.nurse, key())).body.data.score).toMatchObject({ score: 6 });
    expect(await readHistory()).toBe(9);
  });
});

it("a set all of whose values are stored is judged by the confirmed score", async () => {
  const effective_at = iso(MINUTE);
  const samples = toSamples(EIGHT).map((sample) => ({ ...sample, effective_at }));
  const json = { patient_id: world.patient.id, samples };
  const stored = await sendRequest(`${API}/observations`, { as: world.nurse, json });
  expect(stored.status).toBe(200);
  const wrong = await send(newSet(EIGHT, 7, { effective_at }));
  expect({ status: wrong.status, code: wrong.body.code }).toEqual({ status: 409, code: "score_changed" });
  expect((await send(newSet(EIGHT, 8, { effective_at }))).status).toBe(201);
  expect(await readHistory()).toBe(8);
});

describe("a set or an attempt ahead of the clock", () => {
  it("is of the moment at which it was received, also when it is sent again", async () => {
    const effective_at = iso(-100_000);
    const attempt = newSet({}, null, { effective_at, partial_reason: "refused" });
    const headers = key();
    const { body } = await send(attempt, world.nurse, headers);
    const { at } = body.data.observations.last_attempt;
    expect(Date.parse(at)).toBeLessThanOrEqual(Date.now());
    expect(body.data.observations.due_at).toBe(later(at, HOUR));
    expect((await send(attempt, world.nurse, headers)).body.data.observations).toEqual(body.data.observations);
    const set = await send(newSet(WELL, 0, { effective_at }));
    expect(Date.parse(set.body.data.score.as_of)).toBeLessThanOrEqual(Date.now());
    expect(set.body.data.observations).toMatchObject({ status: "not_due", last_attempt: null });
  });
});

describe("nothing is stored of a set", () => {
  const REFUSED: Record<string, [json: () => object, path: string, code: string]> = {
    "that is incomplete without a reason": [() => newSet({ "8867-4": [70, "/min"] }, 0), "samples", "missing"],
    "with an implausible value": [() => newSet({ ...WELL, "8867-4": [900, "/min"] }, 0), "samples.5.value", "implausible"],
    "with a doubtful unit": [() => newSet({ ...WELL, "2708-6": [0.97, "%"] }, 0), "samples.1.value", "unit_suspect"],
    "with an unknown unit": [() => newSet({ ...WELL, "8310-5": [37, "K9"] }, 0), "samples.7.value", "unit_unknown"],
    "with contradictory pressures": [() => newSet({ ...WELL, "8462-4": [130, "mm[Hg]"] }, 0), "samples.4.value", "contradictory"],
    "of more than a day ago": [() => newSet(WELL, 0, { effective_at: iso(24 * HOUR + MINUTE) }), "effective_at", "too_old"],
    "of the future": [() => newSet(WELL, 0, { effective_at: iso(-3 * MINUTE) }), "effective_at", "in_the_future"],
    "with a code twice": [
      () => ({ ...newSet(WELL, 0), samples: [...toSamples(WELL), { code: "8867-4", value: 71, unit: "/min" }] }),
      "samples",
      "custom",
    ],
    "with a code of no set": [() => newSet({ ...WELL, "2339-0": [90, "mg/dL"] }, 0), "samples.8.code", "custom"],
    "with a reason although it is complete": [
      () => newSet(WELL, null, { partial_reason: "asleep" }),
      "partial_reason",
      "set_complete",
    ],
    "with a reason and a score": [() => newSet({}, 3, { partial_reason: "asleep" }), "confirmed_score", "custom"],
    "of nothing": [() => newSet({}, null), "samples", "custom"],
    "with a field that it does not have": [() => newSet(WELL, 0, { note: "x" }), "note", "unrecognized_keys"],
  };
  it.each(Object.entries(REFUSED))("%s", async (_, [json, field, code]) => {
    const { status, body } = await send(json());
    expect({ status, code: body.code }).toEqual({ status: 400, code: "invalid_request" });
    expect(body.errors.map(({ path }: { path: string }) => path)).toContain(field);
    if (code !== "custom" && code !== "unrecognized_keys")
      expect(body.errors.map(({ code }: { code: string }) => code)).toContain(code);
    expect(await readHistory()).toBe(0);
    expect((await readBoard()).observations).toMatchObject({ status: "never", last_attempt: null });
  });

  it("of another hospital's patient, and for a patient's own login", async () => {
    expect((await send(newSet(WELL, 0), world.self)).status).toBe(403);
    expect((await send(newSet(WELL, 0), (await newWorld()).nurse)).status).toBe(404);
    expect(await readHistory()).toBe(0);
  });
});

describe("an expected return", () => {
  const pause = (reason: string, ahead: number) =>
    sendRequest(`${path}/observation-pause`, {
      as: world.nurse,
      method: "PUT",
      json: { reason, expected_return_at: new Date(Date.now() + ahead).toISOString() },
    });

  it("is at most a day ahead, at the end of life a week, and never past", async () => {
    expect((await pause("procedure", 24 * HOUR + MINUTE)).status).toBe(400);
    expect((await pause("end_of_life", 7 * 24 * HOUR + MINUTE)).status).toBe(400);
    expect((await pause("leave", -MINUTE)).status).toBe(400);
    expect((await pause("holiday", HOUR)).status).toBe(400);
    expect((await readBoard()).observations.pause).toBeNull();
    expect((await pause("procedure", 24 * HOUR - MINUTE)).status).toBe(200);
    expect((await pause("end_of_life", 7 * 24 * HOUR - MINUTE)).status).toBe(200);
    expect((await readBoard()).observations.pause).toMatchObject({ reason: "end_of_life", performer_id: world.nurse.id });
    expect(await auditOf("observation_pause.update")).toEqual([
      ["success", null],
      ["success", null],
    ]);
  });

  it("ends the pause by itself, and silences no alarm of a value", async () => {
    expect((await pause("off_ward", HOUR)).status).toBe(200);
    const low = newSet({ "2708-6": [80, "%"] }, null, { partial_reason: "off_ward" });
    expect((await send(low)).body.data.observations.status).toBe("paused");
    expect((await readBoard()).alerts).toMatchObject([{ rule: "limit", code: "2708-6", priority: "high" }]);
    expect((await pause("off_ward", 500)).status).toBe(200);
    await eventually(async () => expect((await readBoard()).observations.pause).toBeNull());
    expect((await readBoard()).observations).toMatchObject({ status: "due", last_attempt: { reason: "off_ward" } });
  });
});

describe("the work list of a ward", () => {
  const readList = async () =>
    (await readJson(await sendRequest(`${API}/wards/${ward}/observations-due`, { as: world.nurse }))).data.patients;

  it("has the most overdue first, then who was never charted, and the paused last", async () => {
    const others: string[] = [];
    for (const [values, score, ago] of [
      [EIGHT, 8, 2 * HOUR],
      [EIGHT, 8, 3 * HOUR],
      [WELL, 0, HOUR],
    ] as const) {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const json = { date_of_birth: "1970-01-01", monitoring: "ward", ward_id: ward };
      const headers = { "If-Match": '"1"' };
      await sendRequest(`${API}/patients/${id}`, { as: world.nurse, method: "PATCH", json, headers });
      const set = newSet(values, score, { effective_at: iso(ago) });
      const sent = await sendRequest(`${API}/patients/${id}/observation-sets`, { as: world.nurse, json: set });
      expect(sent.status).toBe(201);
      others.push(id);
    }
    const [first, second, third] = others;
    const shown = await readList();
    expect(shown.map(({ patient_id }: { patient_id: string }) => patient_id)).toEqual([second, first, world.patient.id, third]);
    expect(shown.map(({ observations }: { observations: { status: string } }) => observations.status)).toEqual([
      "overdue",
      "overdue",
      "never",
      "not_due",
    ]);
    const json = { reason: "leave", expected_return_at: iso(-HOUR) };
    await sendRequest(`${API}/patients/${second}/observation-pause`, { as: world.nurse, method: "PUT", json });
    expect((await readList()).at(-1)).toMatchObject({ patient_id: second, observations: { status: "paused" } });
  });
});

describe("an overdue set on a ward that chose the alarm", () => {
  it("is an open alert of low priority until the next set", async () => {
    const overdue = newSet(EIGHT, 8, { effective_at: iso(2 * HOUR) });
    expect((await send(overdue)).status).toBe(201);
    const rules = async () => (await readBoard()).alerts.map(({ rule }: { rule: string }) => rule);
    expect(await rules()).not.toContain("observations_due");
    const json = { overdue_alarm: true };
    const headers = { "If-Match": '"1"' };
    expect((await sendRequest(`${API}/wards/${ward}`, { as: world.manager, method: "PATCH", json, headers })).status).toBe(200);
    await eventually(async () => expect(await rules()).toContain("observations_due"));
    expect((await send(newSet(WELL, 0))).status).toBe(201);
    expect(await rules()).not.toContain("observations_due");
  });
});
