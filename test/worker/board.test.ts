// The ward board: monitored patients by risk, with known values; unknown risk is not low risk.
import { beforeEach, describe, expect, it } from "vitest";
import type { AlertView, PatientSnapshot, Score } from "../../src/monitoring/patient-object/contract.ts";
import { compareByRisk, MAX_BOARD_PATIENTS } from "../../src/organization/wards/board.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { alerts } from "../../src/platform/db/schema.ts";
import { withCounters } from "../stores.ts";
import {
  API,
  env,
  newDevice,
  newPatient,
  newWorld,
  type Patient,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  type World,
} from "../world.ts";

let world: World;
let ward: string;
beforeEach(async () => {
  world = await newWorld();
  ward = (await readJson(await sendRequest(`${API}/wards`, { as: world.manager, json: { name: "West" } }))).data.ward_id;
});

async function lay({ id }: Patient, change: object = {}): Promise<void> {
  const { data } = await readJson(await sendRequest(`${API}/patients/${id}`, { as: world.nurse }));
  const json = { monitoring: "ward", ward_id: ward, ...change };
  const headers = { "If-Match": `"${data.version}"` };
  expect((await sendRequest(`${API}/patients/${id}`, { as: world.nurse, method: "PATCH", json, headers })).status).toBe(200);
}

const board = (as: RequestOptions["as"] = world.nurse, options: RequestOptions = {}) =>
  sendRequest(`${API}/wards/${ward}/board`, { as, ...options });

/** All NEWS2 parameters, normal except for the given ones. */
async function measure({ id }: Patient, given: Record<string, number> = {}): Promise<void> {
  const normal: Record<string, [string, string, number]> = {
    heart_rate: ["8867-4", "/min", 70],
    spo2: ["2708-6", "%", 98],
    respiratory_rate: ["9279-1", "/min", 15],
    systolic: ["8480-6", "mm[Hg]", 120],
    temperature: ["8310-5", "Cel", 37],
    inspired_oxygen: ["3150-0", "%", 21],
    consciousness: ["67775-7", "{score}", 0],
  };
  const effective_at = new Date().toISOString();
  const samples = Object.entries(normal).map(([name, [code, unit, value]]) => ({
    code,
    unit,
    value: given[name] ?? value,
    effective_at,
  }));
  const answer = await sendRequest(`${API}/observations`, { as: world.nurse, json: { patient_id: id, samples } });
  const { data } = await readJson(answer);
  expect(data.refused, JSON.stringify(data)).toBe(0);
}

type Entry = Record<string, unknown> & { patient_id: string };
const entries = async (answer: Promise<Response>): Promise<Entry[]> => (await readJson(await answer)).data.patients;

describe("the board", () => {
  it("shows the watched patients of the ward by risk, with names, vitals, score and alerts", async () => {
    const [well, ill, dying, unknown] = [
      world.patient,
      world.stranger,
      await newPatient(world.hospitalId, world.nurse),
      await newPatient(world.hospitalId, world.nurse),
    ];
    const [off, inactive, elsewhere] = await Promise.all([1, 2, 3].map(() => newPatient(world.hospitalId, world.nurse)));
    if (!off || !inactive || !elsewhere) throw new Error("no patients");
    for (const patient of [well, ill, dying, unknown]) await lay(patient);
    await lay(off, { monitoring: "off" });
    await lay(inactive, { is_active: false, monitoring: "off", reason: "Registered twice" });
    await lay(elsewhere, { ward_id: null });
    await measure(well);
    await measure(ill, { respiratory_rate: 23, temperature: 39.2, heart_rate: 112 });
    await measure(dying, { heart_rate: 0 });

    const answer = await board();
    expect(answer.status).toBe(200);
    const { data } = await readJson(answer);
    expect(data).toMatchObject({ ward_id: ward, ward_name: "West", watched: 4 });
    const record = await sendRequest(`${API}/patients/${well.id}`, { as: world.nurse });
    expect((await readJson(record)).data).toMatchObject({ ward_id: ward, ward_name: "West" });
    const shown: Entry[] = data.patients;
    expect(shown.map(({ patient_id }) => patient_id)).toEqual([dying, ill, unknown, well].map(({ id }) => id));
    expect(shown[0]).toMatchObject({ first_name: `First-${dying.canary}`, open_alerts: { high: 1 }, is_known: true });
    expect(shown[1]).toMatchObject({ news2: { status: "complete", score: 6 } });
    expect(shown[2]).toMatchObject({ news2: { status: "incomplete" }, latest: [], last_seen_at: null, last_seen_s: null });
    expect(shown[3]).toMatchObject({ news2: { status: "complete", score: 0, risk: "low" }, open_alerts: { high: 0, medium: 0 } });
    const heart = data.patients[3].latest.find(({ code }: { code: string }) => code === "8867-4");
    expect(heart).toMatchObject({ value: 70 });
    expect(heart.age_s).toBeLessThan(60);
    expect(shown[3]?.["last_seen_s"]).toBeLessThan(60);

    const [event, ...more] = await readAuditEvents(answer.headers.get("X-Request-Id") ?? "");
    expect(more).toEqual([]);
    expect(event).toMatchObject({ event: "ward.board", action: "R", entity_id: ward });
    expect([...(event?.subjects ?? [])].sort()).toEqual(shown.map(({ patient_id }) => patient_id).sort());
  });

  it("has the patients whom the caller may see; for others the ward does not exist", async () => {
    await lay(world.patient);
    await lay(world.stranger);
    expect((await entries(board(world.doctor))).map(({ patient_id }) => patient_id)).toEqual([world.patient.id]);
    expect(await entries(board(world.admin))).toHaveLength(2);
    expect((await board(world.self)).status).toBe(403);
    expect((await board(null)).status).toBe(401);
    const foreign = await newWorld();
    const denied = await board(foreign.nurse);
    expect(denied.status).toBe(404);
    expect(await denied.text()).not.toContain("West");
    const device = await newDevice(world.nurse, world.patient.id);
    expect((await board(device)).status).toBe(403);
  });

  it("shows at most forty, and never omits a patient with an alarm in favour of one without", async () => {
    const crowd = await Promise.all(
      Array.from({ length: MAX_BOARD_PATIENTS + 2 }, () => newPatient(world.hospitalId, world.nurse)),
    );
    const place = env.DB.prepare("UPDATE patients SET ward_id = ?, monitoring = 'ward' WHERE id = ?");
    await env.DB.batch(crowd.map(({ id }) => place.bind(ward, id)));
    const last = crowd.toSorted((a, b) => a.number - b.number).at(-1);
    if (!last) throw new Error("no patients");
    await getDb(env.DB)
      .insert(alerts)
      .values({
        id: `${last.id}-test`,
        patientId: last.id,
        hospitalId: world.hospitalId,
        rule: "limit",
        priority: "medium",
        state: "active",
        why: "{}",
        raisedAt: 1,
        updatedAt: 1,
        version: 1,
      });
    const { env: counted, counts } = withCounters(env);
    await board(world.nurse, { env: counted });
    const before = counts.d1;
    const { data } = await readJson(await board(world.nurse, { env: counted }));
    expect(data.patients).toHaveLength(MAX_BOARD_PATIENTS);
    expect(data.watched).toBe(MAX_BOARD_PATIENTS + 2);
    expect(data.patients.map(({ patient_id }: Entry) => patient_id)).toContain(last.id);
    expect(counts.d1 - before).toBe(1);
  });

  it("queries at most ten patients at a time, and responds when one does not answer", async () => {
    const crowd = await Promise.all(Array.from({ length: 25 }, () => newPatient(world.hospitalId, world.nurse)));
    const place = env.DB.prepare("UPDATE patients SET ward_id = ?, monitoring = 'ward' WHERE id = ?");
    await env.DB.batch(crowd.map(({ id }) => place.bind(ward, id)));
    let asked = 0;
    let most = 0;
    const monitor = {
      getByName: (id: string) => ({
        snapshot: async () => {
          most = Math.max(most, ++asked);
          await new Promise((done) => setTimeout(done, 5));
          asked--;
          if (id === crowd[3]?.id) throw new Error("overloaded");
          return env.PATIENT_MONITOR.getByName(id).snapshot();
        },
      }),
    };
    const shown = await entries(board(world.nurse, { env: { ...env, PATIENT_MONITOR: monitor as never } }));
    expect(shown).toHaveLength(25);
    expect(most).toBe(10);
    expect(shown.find(({ patient_id }) => patient_id === crowd[3]?.id)).toMatchObject({ is_known: false, news2: null });
  });
});

describe("the order of the board", () => {
  const times = { as_of: "", observation_mode: "spot", due_at: "", overdue_at: "" } as const;
  const complete = (score: number): Score => ({ status: "complete", score, risk: "low", parts: {}, ...times });
  const overdue = (score: number): Score => ({ status: "overdue", score, risk: "low", parts: {}, ...times });
  const incomplete: Score = { status: "incomplete", missing: ["spo2"], stale: [] };
  const young: Score = { status: "not_applicable", reason: "age" };
  type Given = { score: Score | null; open?: AlertView["priority"][] };

  function watched({ score, open = [] }: Given, patient_number: number): Parameters<typeof compareByRisk>[0] {
    const row = { id: String(patient_number), patient_number, monitoring: "ward" as const, identity_sealed: "", version: 1 };
    if (score === null) return { row, snapshot: null };
    const snapshot = { news2: score, alerts: open.map((priority) => ({ priority })) } as PatientSnapshot;
    return { row, snapshot };
  }

  const order: Given[] = [
    { score: complete(9), open: ["high"] },
    { score: complete(0), open: ["low", "high"] },
    { score: overdue(8) },
    { score: complete(7) },
    { score: complete(5), open: ["medium"] },
    { score: complete(5) },
    { score: incomplete, open: ["medium"] },
    { score: incomplete },
    { score: overdue(1) },
    { score: young },
    { score: null },
    { score: complete(4) },
    { score: complete(1), open: ["medium"] },
    { score: complete(1), open: ["low"] },
    { score: complete(1) },
    { score: complete(0) },
  ];
  const ranked = order.map(watched);
  const numbers = (list: typeof ranked) => list.map(({ row }) => row.patient_number);

  it("is high alerts, score with the unknown between five and four, medium, low, number", () => {
    for (let turn = 0; turn < 200; turn++) {
      const shuffled = ranked.map((one) => ({ one, key: Math.random() })).sort((a, b) => a.key - b.key);
      expect(numbers(shuffled.map(({ one }) => one).sort(compareByRisk))).toEqual(numbers(ranked));
    }
  });

  it("fails for a board that treats unknown as low (the known-bad twin)", () => {
    const naive = (a: (typeof ranked)[0], b: (typeof ranked)[0]) => {
      const points = ({ snapshot }: typeof a) => (snapshot?.news2.status === "complete" ? snapshot.news2.score : 0);
      return points(b) - points(a) || compareByRisk(a, b);
    };
    expect(numbers(ranked.toSorted(naive))).not.toEqual(numbers(ranked));
  });
});

describe("the trends of a ward", () => {
  const trends = (code: string, as: RequestOptions["as"] = world.nurse) =>
    sendRequest(`${API}/wards/${ward}/trends?code=${code}`, { as });

  it("are six hours of one vital of each patient on the board, in parts of five minutes", async () => {
    const silent = await newPatient(world.hospitalId, world.nurse);
    for (const patient of [world.patient, world.stranger, silent]) await lay(patient);
    const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
    const sample = (minutes: number, value: number) => ({ code: "8867-4", unit: "/min", value, effective_at: ago(minutes) });
    const samples = [sample(358, 60), sample(357.9, 64), sample(122.5, 90), sample(2.5, 81), sample(361, 200)];
    const json = { patient_id: world.patient.id, samples };
    expect((await readJson(await sendRequest(`${API}/observations`, { as: world.nurse, json }))).data.stored).toBe(5);

    const answer = await trends("heart_rate");
    const { data } = await readJson(answer);
    expect(data).toMatchObject({ ward_id: ward, code: "8867-4" });
    expect(Date.parse(data.to) - Date.parse(data.from)).toBe(6 * 3_600_000);
    const byPatient = new Map<string, (number | null)[]>(
      data.patients.map(({ patient_id, means }: { patient_id: string; means: (number | null)[] }) => [patient_id, means]),
    );
    expect([...byPatient.keys()].sort()).toEqual([world.patient.id, world.stranger.id, silent.id].sort());
    const means = byPatient.get(world.patient.id) ?? [];
    expect(means).toHaveLength(72);
    expect(means.flatMap((mean, part) => (mean === null ? [] : [[part, mean]]))).toEqual([
      [0, 62],
      [47, 90],
      [71, 81],
    ]);
    expect(byPatient.get(silent.id)).toEqual(new Array(72).fill(null));
    const [event, ...more] = await readAuditEvents(answer.headers.get("X-Request-Id") ?? "");
    expect(more).toEqual([]);
    expect(event).toMatchObject({ event: "ward.trends", action: "R", entity_id: ward });
    expect([...(event?.subjects ?? [])].sort()).toEqual([...byPatient.keys()].sort());
  });

  it("are those of the patients whom the caller may see; a patient whose object does not answer has none", async () => {
    for (const patient of [world.patient, world.stranger]) await lay(patient);
    const { data } = await readJson(await trends("spo2", world.doctor));
    expect(data.patients.map(({ patient_id }: { patient_id: string }) => patient_id)).toEqual([world.patient.id]);
    expect((await trends("spo2", world.self)).status).toBe(403);
    expect((await trends("spo2", (await newWorld()).nurse)).status).toBe(404);
    expect((await sendRequest(`${API}/wards/${ward}/trends`, { as: world.nurse })).status).toBe(400);
    const down = { getByName: () => ({ buckets: () => Promise.reject(new Error("down")) }) };
    const over = { ...env, PATIENT_MONITOR: down as never };
    const unanswered = await sendRequest(`${API}/wards/${ward}/trends?code=spo2`, { as: world.nurse, env: over });
    const { patients } = (await readJson(unanswered)).data;
    expect(patients.map(({ means }: { means: unknown }) => means)).toEqual([null, null]);
  });
});

it("names the staff who acknowledged the alerts on it, and nobody else", async () => {
  await lay(world.patient);
  await measure(world.patient, { heart_rate: 0 });
  const [entry] = (await readJson(await board())).data.patients;
  expect((await readJson(await board())).data.staff).toEqual([]);
  const path = `${API}/alerts/${entry.alerts[0].alert_id}/acknowledge`;
  expect((await sendRequest(path, { as: world.doctor, method: "POST" })).status).toBe(200);
  const { data } = await readJson(await board());
  expect(data.patients[0].alerts[0]).toMatchObject({ acknowledged_by: world.doctor.id });
  const { full_name } = (await readJson(await sendRequest(`${API}/auth/me`, { as: world.doctor }))).data;
  expect(data.staff).toEqual([{ user_id: world.doctor.id, full_name }]);
});
