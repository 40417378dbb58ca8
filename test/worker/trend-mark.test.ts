// The trend mark of a ward, through HTTP: who may switch it on, what is recorded, and a mark that begins, ends and gets old.
import { afterEach, describe, expect, it, vi } from "vitest";
import { deliverChanges } from "../../src/monitoring/patient-object/context/change-delivery.ts";
import { API, env, findEvents, newWard, newWorld, type Person, readJson, sendRequest, type World } from "../world.ts";
import { openLiveView } from "./live-client.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const REASON = "For the morning round; agreed with Dr Pillai";
const ON = { trend_mark: true, trend_mark_reason: REASON };
const LABEL = "EdgeCare trend, not NEWS2";

afterEach(() => void vi.useRealTimers());

const get = async (as: Person, path: string) => (await readJson(await sendRequest(`${API}/${path}`, { as }))).data;
const change = (as: Person, ward: string, json: object, version = 1) =>
  sendRequest(`${API}/wards/${ward}`, { as, method: "PATCH", json, headers: { "If-Match": `"${version}"` } });
const statusOf = async (answer: Promise<Response>) => (await answer).status;

describe("the trend mark of a ward", () => {
  it("is off until somebody switches it on with a reason, and shows who, when and why", async () => {
    const { manager, nurse } = await newWorld();
    const ward = await newWard(manager);
    const none = { trend_mark: false, trend_mark_label: null, trend_mark_reason: null };
    expect(await get(nurse, `wards/${ward}`)).toMatchObject({ ...none, trend_mark_by: null, trend_mark_at: null });
    expect(await statusOf(change(manager, ward, ON))).toBe(200);
    const seen = await get(nurse, `wards/${ward}`);
    expect(seen).toMatchObject({ ...ON, trend_mark_label: LABEL, trend_mark_by: manager.id });
    expect(Date.now() - Date.parse(seen.trend_mark_at)).toBeLessThan(MINUTE);
    const back = await change(manager, ward, { trend_mark: false }, 2);
    expect((await readJson(back)).data).toMatchObject({ ...none, trend_mark_by: manager.id });
  });

  it("is refused without a reason, with one when it is switched off, and to those who do not manage the hospital", async () => {
    const { manager, nurse, doctor } = await newWorld();
    const ward = await newWard(manager);
    for (const json of [{ trend_mark: true }, { trend_mark: false, trend_mark_reason: REASON }, { trend_mark_reason: REASON }])
      expect(await statusOf(change(manager, ward, json)), JSON.stringify(json)).toBe(400);
    for (const as of [nurse, doctor]) expect(await statusOf(change(as, ward, ON))).toBe(403);
    expect(await get(nurse, `wards/${ward}`)).toMatchObject({ trend_mark: false, version: 1 });
  });

  it("is in the audit log before and after, and its reason only encrypted", async () => {
    const { manager } = await newWorld();
    const ward = await newWard(manager);
    await change(manager, ward, ON);
    const row = await env.DB.prepare("SELECT * FROM wards WHERE id = ?").bind(ward).first();
    expect(row).toMatchObject({ trend_mark: 1, trend_mark_by: manager.id });
    const [event] = await findEvents({ event: "ward.update", entity_id: ward });
    expect(event).toMatchObject({ actor_id: manager.id });
    expect(JSON.parse(String(event?.["detail"]))).toEqual({
      fields: ["trend_mark", "trend_mark_reason"],
      before: { trend_mark: false },
      after: { trend_mark: true },
    });
    for (const stored of [row, event]) expect(JSON.stringify(stored)).not.toContain("Pillai");
  });
});

const WELL: Record<string, readonly [number | string, string]> = {
  "9279-1": [16, "/min"],
  "2708-6": [97, "%"],
  "3151-8": [0, "L/min"],
  "8480-6": [120, "mm[Hg]"],
  "8867-4": [80, "/min"],
  "67775-7": ["A", "1"],
  "8310-5": [37, "Cel"],
};
/** Respiration 2, pulse 2, temperature 1. */
const FIVE = { ...WELL, "9279-1": [22, "/min"], "8867-4": [115, "/min"], "8310-5": [38.5, "Cel"] } as const;

async function newSpotPatient(settings: object) {
  const world: World = await newWorld();
  const { manager, nurse, patient } = world;
  const ward = await newWard(manager);
  const json = { date_of_birth: "1970-01-01", monitoring: "ward", ward_id: ward };
  await sendRequest(`${API}/patients/${patient.id}`, { as: nurse, method: "PATCH", json, headers: { "If-Match": '"1"' } });
  await change(manager, ward, { observation_mode: "spot", ...settings });
  await deliverChanges(env);
  const chart = async (set: typeof WELL, time: number) => {
    const effective_at = new Date(time).toISOString();
    const samples = Object.entries(set).map(([code, [value, unit]]) => ({ code, value, unit, effective_at }));
    const sent = await sendRequest(`${API}/observations`, { as: nurse, json: { patient_id: patient.id, samples } });
    const { data } = await readJson(sent);
    expect(data.refused).toBe(0);
    return data.results as { observation_id: string }[];
  };
  const readEntry = async () => (await get(nurse, `wards/${ward}/board`)).patients[0];
  return { nurse, manager, patient, ward, chart, readEntry };
}

describe("a patient of a ward", () => {
  it("has no mark where the ward did not choose it", async () => {
    const { nurse, patient, chart, readEntry } = await newSpotPatient({});
    const now = Date.now();
    await chart(WELL, now - 12 * HOUR - 5 * MINUTE);
    await chart(FIVE, now);
    expect(await readEntry()).toMatchObject({ news2: { score: 5 }, trend_mark: null });
    expect(await get(nurse, `patients/${patient.id}/observations/latest`)).toMatchObject({ trend_mark: null });
  });

  it("has one from smoothed scores and fever on, until a correction, the clock or the ward takes it away", async () => {
    const { nurse, manager, patient, ward, chart, readEntry } = await newSpotPatient(ON);
    const live = await openLiveView(nurse);
    expect(live.frames[0].patients).toMatchObject([{ trend_mark: { label: LABEL, status: "unknown", smoothed_score: null } }]);
    const now = Date.now();
    const [first, second] = [now - 12 * HOUR - 5 * MINUTE, now];
    await chart(WELL, first);
    expect((await readEntry()).trend_mark).toMatchObject({ status: "unknown", smoothed_score: 0, marked_since: null });
    const results = await chart(FIVE, second);
    const at = new Date(second).toISOString();
    const marked = {
      label: LABEL,
      status: "up",
      smoothed_score: 2.5,
      readings_since: new Date(first).toISOString(),
      marked_since: at,
      fever_at: at,
      as_of: at,
      overdue_at: new Date(second + 75 * MINUTE).toISOString(),
    };
    const entry = await readEntry();
    expect(entry.trend_mark).toEqual(marked);
    expect(await get(nurse, `patients/${patient.id}/observations/latest`)).toMatchObject({ trend_mark: marked });
    await live.until(({ type, trend_mark }) => type === "samples" && trend_mark.status === "up");

    vi.useFakeTimers({ now: second + 75 * MINUTE + 1, toFake: ["Date"] });
    const old = await env.PATIENT_MONITOR.getByName(patient.id).snapshot();
    expect(old?.trend_mark).toEqual({ ...marked, status: "overdue" });
    vi.useRealTimers();

    const temperature = results[Object.keys(FIVE).indexOf("8310-5")]?.observation_id;
    const json = { status: "amended", value: 37.5, reason: "Typing error" };
    const amended = await sendRequest(`${API}/observations/${temperature}`, { as: nurse, method: "PATCH", json });
    expect(amended.status).toBe(200);
    const ended = { ...marked, status: "none", smoothed_score: 2, marked_since: null, fever_at: null };
    expect(await readEntry()).toMatchObject({ news2: { score: 4 }, trend_mark: { ...ended, overdue_at: expect.any(String) } });
    await live.until(({ type, trend_mark }) => type === "samples" && trend_mark.status === "none");

    await change(manager, ward, { trend_mark: false }, 2);
    await deliverChanges(env);
    await live.until(({ type, trend_mark }) => type === "observations" && trend_mark === null);
    expect((await readEntry()).trend_mark).toBeNull();
    live.close();
  });

  it("has the alerts, the order and the score of a patient without the mark", async () => {
    const [marked, plain] = await Promise.all([newSpotPatient(ON), newSpotPatient({})]);
    const now = Date.now();
    const shown = [];
    for (const { chart, readEntry } of [marked, plain]) {
      await chart(WELL, now - 12 * HOUR - 5 * MINUTE);
      await chart(FIVE, now);
      const { news2, open_alerts, observations, alerts } = await readEntry();
      shown.push({ news2, open_alerts, observations, alerts: alerts.length });
    }
    expect(shown[0]).toEqual(shown[1]);
  });
});
