// What wearables and their services export is read, or refused item by item with a reason: Apple Health, Fitbit, Google Fit, iHealth.
import { beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { absent } from "../shared-data.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  link,
  newDevice,
  newPatient,
  newPerson,
  newWorld,
  type Person,
  readJson,
  sendRequest,
  type World,
} from "../world.ts";

const files = inject("wearables");
const DAY = 86_400_000;

let world: World;
let wearer: Person;
beforeAll(async () => {
  world = await newWorld();
  const headers = { "If-Match": '"1"' };
  const json = { time_zone: "Asia/Kolkata" };
  await sendRequest(`${API}/hospitals/${world.hospitalId}`, { as: world.manager, method: "PATCH", json, headers });
});
beforeEach(async () => {
  wearer = await newPerson("patient");
  await link(wearer, await newPatient(world.hospitalId, world.nurse));
});

type Result = { status: string; reason?: string; message?: string; metric?: string; reading?: number };
type As = { token: string };
const send = async (path: string, json: object, as: As) => {
  const response = await sendRequest(`${API}/${path}`, { as, json });
  expect(response.status).toBe(200);
  return (await readJson(response)).data.results as Result[];
};
const sync = (metrics: object[], as: As = wearer) => send("wearables/sync", { metrics }, as);
const observe = (samples: object[], as: As = wearer) => send("observations", { samples }, as);
/** Of each item: "stored", or the reason of its refusal, which has a message. */
const outcomes = (results: readonly Result[]) =>
  results.map(({ status, reason, message }) => {
    if (status === "stored") return status;
    expect(message ?? "").toMatch(/.{20}/);
    return reason;
  });
/** A day in the hospital's zone. */
const dayAgo = (days: number) => new Date(Date.now() + 5.5 * 3_600_000 - days * DAY).toISOString().slice(0, 10);
const latest = async () =>
  (await readJson(await sendRequest(`${API}/wearables/metrics/recent?limit=200`, { as: wearer }))).data as {
    name: string;
    value: number;
    unit: string;
    effective_at: string;
  }[];

describe("an item of a sync", () => {
  it("is judged by itself", async () => {
    const timestamp = new Date().toISOString();
    const readings = [
      { timestamp, heart_rate: "72", spo2: 97, pulse_wave: 8, steps: null },
      { timestamp: "4/12/2016 12:00:00 AM", sleep_minutes: 327 },
      "72",
      { timestamp, weight_kg: 70 },
    ];
    const results = await sync(readings as object[]);
    expect(results).toMatchObject([
      { reading: 0, metric: "heart_rate", reason: "value_not_a_number" },
      { reading: 0, metric: "spo2", status: "stored" },
      { reading: 0, metric: "pulse_wave", reason: "metric_unknown", message: expect.stringContaining("heart_rate") },
      { reading: 1, metric: "sleep_minutes", reason: "effective_at_invalid" },
      { reading: 2, reason: "reading_invalid" },
      { reading: 3, metric: "weight_kg", status: "stored" },
    ]);
    outcomes(results);
    // Sent again, as a phone does without an answer: nothing new is stored.
    expect((await sync(readings as object[])).map(({ status }) => status)).toEqual(
      results.map(({ status }) => (status === "stored" ? "duplicate" : status)),
    );
  });

  it("is refused with the whole only when there are too many of them", async () => {
    const unknown = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`metric_${i}`, i]));
    const json = { metrics: [{ timestamp: new Date().toISOString(), ...unknown }] };
    await expectProblem(await sendRequest(`${API}/wearables/sync`, { as: wearer, json }), 400, "invalid_request");
  });

  it("of a device without a patient is held or refused by itself too", async () => {
    const unbound = await newDevice(world.nurse, null, "wearable");
    const results = await sync([{ timestamp: new Date().toISOString(), heart_rate: 70, aura: 1 }, { steps: 3 }], unbound);
    const sorted = results.sort((a, b) => Number(a.reading) - Number(b.reading) || (a.metric === "aura" ? 1 : -1));
    expect(sorted).toMatchObject([
      { metric: "heart_rate", status: "quarantined", reason: "not_bound" },
      { metric: "aura", status: "rejected", reason: "metric_unknown" },
      { metric: "steps", status: "rejected", reason: "effective_at_invalid" },
    ]);
  });
});

describe("the total of a day", () => {
  it("by its date is at noon of the hospital's day, once, and only when the day is over", async () => {
    const device = await newDevice(world.nurse, null, "wearable");
    const [day, today] = [dayAgo(2), dayAgo(0)];
    expect(outcomes(await sync([{ timestamp: day, steps_day: 8000, calories_day: 2100, heart_rate: 70 }]))).toEqual([
      "effective_at_invalid",
      "stored",
      "stored",
    ]);
    expect((await latest()).map(({ name, effective_at }) => [name, effective_at])).toEqual(
      expect.arrayContaining([["steps_day", `${day}T06:30:00.000Z`]]),
    );
    expect(
      outcomes(
        await sync([
          { timestamp: today, steps_day: 10 },
          { timestamp: "2026-02-30", steps_day: 10 },
        ]),
      ),
    ).toEqual(["effective_at_invalid", "effective_at_invalid"]);
    const item = { code: CODES.steps_day, value: 8000, unit: "steps", effective_at: day };
    expect(await observe([item])).toMatchObject([{ status: "duplicate" }]);
    expect(outcomes(await observe([{ ...item, value: 8001 }]))).toEqual(["value_conflict"]);
    expect(outcomes(await observe([item], device))).toEqual(["not_bound"]);
  });
});

/** `startDate="…"` and the like. */
const attributes = (text: string) =>
  Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
/** With the date moved to some days ago. */
const moved = (text: string, days: number) => dayAgo(days) + text.slice(10);
const textOf = (path: string) => files.find((file) => file.path === path)?.text ?? "";
const listOf = (path: string, name: string): Record<string, unknown>[] => JSON.parse(textOf(path))[name];
const rowsOf = (path: string) => {
  const [header = "", ...rows] = textOf(path).split(/\r?\n/);
  const names = header.split(",");
  const records = rows.slice(0, 25).map((row) => Object.fromEntries(row.split(",").map((cell, i) => [names[i], cell])));
  return records.filter(({ Id }) => Id === records[0]?.["Id"]);
};

describe.skipIf(files.length === 0)(`the files of wearables (skipped: ${absent("wearables")})`, () => {
  const APPLE: Record<string, string> = {
    HKQuantityTypeIdentifierHeartRate: CODES.heart_rate,
    HKQuantityTypeIdentifierBodyMassIndex: CODES.bmi,
  };

  it("of Apple Health, in its own units and times", async () => {
    const text = textOf("apple-health/export.xml");
    const records = [...text.matchAll(/<Record [^>]*>/g)].map(([tag]) => attributes(tag));
    const items = (days: number | null) =>
      records.map(({ type = "", value, unit, startDate = "" }, i) => ({
        code: APPLE[type] ?? type,
        value: Number(value),
        unit,
        effective_at: days === null ? startDate : moved(startDate, days + i),
      }));
    expect(items(null)).toMatchObject([{ unit: "count" }, { unit: "count/min", effective_at: "2018-09-10 02:28:55 -0700" }]);
    expect(outcomes(await observe(items(null)))).toEqual(["too_old", "too_old"]);
    expect(outcomes(await observe(items(3)))).toEqual(["stored", "stored"]);
    expect((await latest()).map(({ name, value, unit }) => [name, value, unit]).sort()).toEqual([
      ["bmi", 22.53, "kg/m2"],
      ["heart_rate", 72, "/min"],
    ]);
    const days = [...text.matchAll(/<ActivitySummary [^>]*>/g)].map(([tag]) => attributes(tag));
    const totals = days.map(({ dateComponents = "", activeEnergyBurned }, i) => ({
      timestamp: moved(dateComponents, 3 + i),
      calories_day: Number(activeEnergyBurned),
    }));
    expect(outcomes(await sync(totals))).toEqual(["stored", "stored"]);
  });

  it("of Fitbit: days and nights by their date, cells as text refused", async () => {
    const days = rowsOf("fitbit/dailyActivity_merged.csv");
    const nights = rowsOf("fitbit/sleepDay_merged.csv");
    expect([days.length, nights.length]).toEqual([19, 25]);
    const asExported = days.map(({ ActivityDate, TotalSteps }) => ({ timestamp: ActivityDate, steps_day: Number(TotalSteps) }));
    expect(new Set(outcomes(await sync(asExported)))).toEqual(new Set(["effective_at_invalid"]));
    const totals = days.map(({ TotalSteps, TotalDistance, Calories }, i) => ({
      timestamp: dayAgo(i + 1),
      steps_day: Number(TotalSteps),
      distance_day_m: Number(TotalDistance) * 1000,
      calories_day: Number(Calories),
    }));
    const slept = nights.map(({ TotalMinutesAsleep }, i) => ({
      timestamp: dayAgo(i + 1),
      sleep_minutes: Number(TotalMinutesAsleep),
    }));
    for (const readings of [totals, slept]) expect(new Set(outcomes(await sync(readings)))).toEqual(new Set(["stored"]));
    expect(outcomes(await sync([{ timestamp: dayAgo(26), steps_day: days[0]?.["TotalSteps"] }]))).toEqual(["value_not_a_number"]);
    const series = listOf("vendor-payloads/fitbit/fitbit-activities-steps-timeseries.json", "activities-steps");
    const other = { as: wearer, days: 27 };
    expect(
      outcomes(await sync(series.map(({ value }, i) => ({ timestamp: dayAgo(other.days + i), steps_day: Number(value) })))),
    ).toEqual(["stored", "stored", "stored"]);
    const weights = listOf("vendor-payloads/fitbit/fitbit-body-log-weight.json", "weight");
    const logs = (zone: string) =>
      weights.map(({ time, weight, bmi }, i) => ({ timestamp: `${dayAgo(i + 1)} ${time}${zone}`, weight_kg: weight, bmi }));
    expect(new Set(outcomes(await sync(logs(""))))).toEqual(new Set(["effective_at_invalid"]));
    expect(outcomes(await sync(logs(" +0530")))).toEqual(new Array(8).fill("stored"));
  });

  it("of Google Fit, with nanoseconds turned into times", async () => {
    const points = (name: string) => listOf(`vendor-payloads/googlefit/googlefit-merge-${name}.json`, "point");
    const METRICS: Record<string, [string, number]> = {
      "heart-rate": ["heart_rate", 1],
      height: ["height_cm", 100],
      weight: ["weight_kg", 1],
      "step-deltas": ["steps", 1],
      "calories-expended": ["calories", 1],
      speed: ["speed", 1],
    };
    for (const [name, [metric, factor]] of Object.entries(METRICS)) {
      const readings = points(name).map(({ endTimeNanos, value }, i) => {
        const [first] = value as { fpVal?: number; intVal?: number }[];
        const time = new Date(Number(endTimeNanos) / 1e6).toISOString();
        return { timestamp: moved(time, i + 2), [metric]: (first?.fpVal ?? first?.intVal ?? 0) * factor };
      });
      const expected = metric === "speed" ? "metric_unknown" : "stored";
      expect(outcomes(await sync(readings)), name).toEqual(readings.map(() => expected));
    }
  });

  it("of iHealth, whose zones are written without a colon", async () => {
    const at = (seconds: unknown, zone: unknown, i: number) =>
      `${dayAgo(i + 2)}${new Date(Number(seconds) * 1000).toISOString().slice(10, 19)} ${zone}`;
    const list = (name: string, key: string) => listOf(`vendor-payloads/ihealth/ihealth-${name}.json`, key);
    const readings = [
      ...list("bp", "BPDataList").map(({ MDate, TimeZone, HP, LP, HR }, i) => ({
        timestamp: at(MDate, TimeZone, i),
        systolic: HP,
        diastolic: LP,
        heart_rate: HR === 0 ? null : HR,
      })),
      ...list("glucose", "BGDataList").map(({ MDate, TimeZone, BG }, i) => ({
        timestamp: at(MDate, TimeZone, i + 8),
        glucose_mg_dl: BG,
      })),
      ...list("spo2", "BODataList").map(({ MDate, TimeZone, BO, HR }, i) => ({
        timestamp: at(MDate, TimeZone, i + 16),
        spo2: BO,
        heart_rate: HR,
      })),
      ...list("weight", "WeightDataList").map(({ MDate, TimeZone, WeightValue, BMI, FatValue }, i) => ({
        timestamp: at(MDate, TimeZone, i + 20),
        weight_kg: WeightValue,
        bmi: BMI,
        body_fat_percent: FatValue === 0 ? null : FatValue,
      })),
      ...list("activity", "ARDataList").map(({ MDate, TimeZone, Steps, Calories, DistanceTraveled }, i) => ({
        timestamp: at(MDate, TimeZone, i),
        steps: Steps,
        calories: Calories,
        distance_m: Number(DistanceTraveled) * 1000,
      })),
    ];
    const results = await sync(readings);
    expect(new Set(outcomes(results))).toEqual(new Set(["stored"]));
    expect(results).toHaveLength(23);
    const sports = list("sport", "SPORTDataList").map(({ SportEndTime, TimeZone, Calories }, i) => ({
      timestamp: at(SportEndTime, TimeZone, i),
      calories: Calories,
    }));
    expect(new Set(outcomes(await sync(sports)))).toEqual(new Set(["effective_at_invalid"]));
  });
});
