// The NEWS2 profile of a ward, through HTTP: who may choose it, what is recorded, and a spot patient from the first 5 to the sound.
import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { PatientMonitor } from "../../src/monitoring/patient-object/patient-monitor.ts";
import { API, env, findEvents, newWard, newWorld, type Person, readJson, sendRequest } from "../world.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const REASON = "Fewer repeats at night; agreed with Sister Pillai";
const SUSTAINED = { news2_profile: "sustained", news2_profile_reason: REASON };

afterEach(() => void vi.useRealTimers());

const get = async (as: Person, path: string) => (await readJson(await sendRequest(`${API}/${path}`, { as }))).data;
const change = (as: Person, ward: string, json: object, version = 1) =>
  sendRequest(`${API}/wards/${ward}`, { as, method: "PATCH", json, headers: { "If-Match": `"${version}"` } });
const statusOf = async (answer: Promise<Response>) => (await answer).status;

describe("the NEWS2 profile of a ward", () => {
  it("is the RCP's until somebody chooses the other one with a reason, and shows who, when and why", async () => {
    const { manager, nurse, doctor } = await newWorld();
    const ward = await newWard(manager);
    const none = { news2_profile_label: null, news2_profile_reason: null };
    expect(await get(nurse, `wards/${ward}`)).toMatchObject({ news2_profile: "rcp", news2_profile_by: null, ...none });
    const chosen = await change(manager, ward, SUSTAINED);
    expect(chosen.status).toBe(200);
    const shown = { ...SUSTAINED, news2_profile_label: "EdgeCare profile, not RCP", news2_profile_by: manager.id };
    for (const as of [nurse, doctor, manager]) {
      const seen = await get(as, `wards/${ward}`);
      expect(seen).toMatchObject(shown);
      expect(Date.now() - Date.parse(seen.news2_profile_at)).toBeLessThan(MINUTE);
    }
    expect(await get(nurse, "wards")).toMatchObject([shown]);
    const back = await change(manager, ward, { news2_profile: "rcp" }, 2);
    expect((await readJson(back)).data).toMatchObject({ news2_profile: "rcp", news2_profile_by: manager.id, ...none });
  });

  it.each([
    ["the sustained one without a reason", { news2_profile: "sustained" }],
    ["the RCP's with a reason", { news2_profile: "rcp", news2_profile_reason: REASON }],
    ["a reason alone", { news2_profile_reason: REASON }],
    ["an empty reason", { news2_profile: "sustained", news2_profile_reason: " " }],
    ["another profile", { news2_profile: "quiet", news2_profile_reason: REASON }],
    ["fields that only the service writes", { ...SUSTAINED, news2_profile_by: "me" }],
  ])("refuses %s", async (_, json) => {
    const { manager } = await newWorld();
    expect(await statusOf(change(manager, await newWard(manager), json))).toBe(400);
  });

  it("is chosen by those who manage the hospital, for the version that they have read", async () => {
    const [{ manager, nurse, doctor }, other] = await Promise.all([newWorld(), newWorld()]);
    const ward = await newWard(manager);
    for (const as of [nurse, doctor]) expect(await statusOf(change(as, ward, SUSTAINED))).toBe(403);
    expect(await statusOf(change(other.manager, ward, SUSTAINED))).toBe(404);
    expect(await statusOf(sendRequest(`${API}/wards/${ward}`, { as: manager, method: "PATCH", json: SUSTAINED }))).toBe(428);
    expect(await statusOf(change(manager, ward, SUSTAINED))).toBe(200);
    expect(await statusOf(change(manager, ward, { news2_profile: "rcp" }))).toBe(412);
    expect(await get(nurse, `wards/${ward}`)).toMatchObject(SUSTAINED);
  });

  it("is in the audit log before and after, and its reason only encrypted", async () => {
    const { manager } = await newWorld();
    const ward = await newWard(manager);
    await change(manager, ward, { ...SUSTAINED, observation_mode: "spot" });
    const row = await env.DB.prepare("SELECT * FROM wards WHERE id = ?").bind(ward).first();
    expect(row).toMatchObject({ news2_profile: "sustained", news2_profile_by: manager.id });
    const [event] = await findEvents({ event: "ward.update", entity_id: ward });
    expect(JSON.parse(String(event?.["detail"]))).toEqual({
      fields: ["observation_mode", "news2_profile", "news2_profile_reason"],
      before: { observation_mode: "auto", news2_profile: "rcp" },
      after: { observation_mode: "spot", news2_profile: "sustained" },
    });
    for (const stored of [row, event]) expect(JSON.stringify(stored)).not.toContain("Pillai");
  });
});

/** Respiration 2, pulse 2, temperature 1. */
const FIVE: Record<string, readonly [number | string, string]> = {
  "9279-1": [22, "/min"],
  "2708-6": [97, "%"],
  "3151-8": [0, "L/min"],
  "8480-6": [120, "mm[Hg]"],
  "8867-4": [115, "/min"],
  "67775-7": ["A", "1"],
  "8310-5": [38.5, "Cel"],
};

describe("a spot patient on a ward with the sustained profile", () => {
  async function newSpotPatient() {
    const { manager, nurse, patient } = await newWorld();
    const ward = await newWard(manager);
    const json = { date_of_birth: "1970-01-01", monitoring: "ward", ward_id: ward };
    await sendRequest(`${API}/patients/${patient.id}`, { as: nurse, method: "PATCH", json, headers: { "If-Match": '"1"' } });
    await change(manager, ward, { observation_mode: "spot", ...SUSTAINED });
    const chart = async (time: number) => {
      const effective_at = new Date(time).toISOString();
      const samples = Object.entries(FIVE).map(([code, [value, unit]]) => ({ code, value, unit, effective_at }));
      const sent = await sendRequest(`${API}/observations`, { as: nurse, json: { patient_id: patient.id, samples } });
      expect((await readJson(sent)).data.refused).toBe(0);
    };
    const runAt = async (time: number) => {
      vi.useFakeTimers({ now: time, toFake: ["Date"] });
      await runInDurableObject(env.PATIENT_MONITOR.getByName(patient.id), (object: PatientMonitor) => object.alarm());
      return (await get(nurse, `wards/${ward}/board`)).patients[0];
    };
    return { nurse, manager, ward, chart, runAt };
  }

  it("has an alert from the first 5 on, which sounds when no repeat set is charted within 30 minutes", async () => {
    const { nurse, chart, runAt } = await newSpotPatient();
    const now = Date.now();
    await chart(now - 29 * MINUTE);
    const silent = await runAt(now + 40 * SECOND);
    expect(silent).toMatchObject({ news2: { score: 5 }, open_alerts: { medium: 1 } });
    expect(silent.alerts).toMatchObject([{ rule: "news2", priority: "medium", state: "active", sounds: false }]);
    const sounding = await runAt(now + MINUTE);
    expect(sounding.alerts).toMatchObject([{ rule: "news2", priority: "medium", state: "active", sounds: true }]);
    const { events, ...stored } = await get(nurse, `alerts/${silent.alerts[0].alert_id}`);
    expect(stored).toMatchObject({ sounds: true, raised_at: silent.alerts[0].raised_at });
    expect(events.map(({ what }: { what: string }) => what)).toEqual(["raised", "raised_sound"]);
  });

  it("hears it when the repeat set confirms the score, and when the ward returns to the RCP's chart", async () => {
    const [repeated, returned] = await Promise.all([newSpotPatient(), newSpotPatient()]);
    const now = Date.now();
    for (const { chart } of [repeated, returned]) await chart(now - 10 * MINUTE);
    for (const { runAt } of [repeated, returned])
      expect((await runAt(now + 40 * SECOND)).alerts).toMatchObject([{ rule: "news2", sounds: false }]);
    await repeated.chart(now);
    expect((await repeated.runAt(now + 41 * SECOND)).alerts).toMatchObject([{ rule: "news2", sounds: true }]);
    await change(returned.manager, returned.ward, { news2_profile: "rcp" }, 2);
    expect((await returned.runAt(now + 41 * SECOND)).alerts).toMatchObject([{ rule: "news2", sounds: true }]);
  });
});
