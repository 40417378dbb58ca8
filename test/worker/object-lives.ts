// Scenario for object fixtures: days of a patient, sent to the real object, and what follows after the fixture is loaded.
import { runInDurableObject } from "cloudflare:test";
import { vi } from "vitest";
import { DEFAULT_REMINDERS } from "../../src/monitoring/alarm-rules/escalation.ts";
import type { Facts } from "../../src/monitoring/patient-object/context/facts.ts";
import type { PatientMonitor } from "../../src/monitoring/patient-object/patient-monitor.ts";
import { env } from "../world.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Far ahead, so that no alarm of the object runs during a test. */
export const MORNING = Date.parse("2100-03-01T09:00:00Z");
export const PATIENT = "0193a5b0-0000-7000-8000-000000000001";
export const HOSPITAL = "0193a5b0-0000-7000-8000-000000000002";
const WARD = "0193a5b0-0000-7000-8000-000000000003";
const MONITOR = "0193a5b0-0000-7000-8000-000000000004";
const BAND = "0193a5b0-0000-7000-8000-000000000005";
const NURSE = "0193a5b0-0000-7000-8000-000000000006";
const CREDENTIALS = { [MONITOR]: "monitor-credential", [BAND]: "band-credential" };

const HEART_RATE = ["8867-4", "/min"] as const;
const SATURATION = ["2708-6", "%"] as const;
const SYSTOLIC = ["8480-6", "mm[Hg]"] as const;
const BREATHING = ["9279-1", "/min"] as const;
const TEMPERATURE = ["8310-5", "Cel"] as const;

const binding = (device: keyof typeof CREDENTIALS, kind: string) => ({
  device,
  kind,
  from: MORNING - 60 * DAY,
  until: null,
  credentials: { [CREDENTIALS[device] ?? ""]: null },
});

const factsAt = (as_of: number): Facts => ({
  as_of,
  patient: PATIENT,
  hospital: HOSPITAL,
  ward: WARD,
  open: true,
  monitoring: "ward",
  age: { band: "adult", until: null },
  pregnant: false,
  scale: 1,
  watch: { mode: "auto", graceMinutes: 15 },
  news2Profile: "rcp",
  overdueAlarm: false,
  trendMark: false,
  reminders: DEFAULT_REMINDERS,
  overrides: {
    ward: { "8867-4": { rate_per_minute: 20, trend: true } },
    patient: { "2708-6": { low: 90 } },
  },
  bindings: [binding(MONITOR, "bedside_monitor"), binding(BAND, "wearable")],
});

const monitor = () => env.PATIENT_MONITOR.getByName(PATIENT);
const clock = (time: number) => vi.setSystemTime(time);
const alarm = () => runInDurableObject(monitor(), (instance: PatientMonitor) => instance.alarm());

let seq = 0;
type Value = readonly [kind: readonly [code: string, unit: string], value: number, at?: number];

/** @param ahead how far the device's clock is ahead, in milliseconds */
async function send(device: keyof typeof CREDENTIALS, values: readonly Value[], conditions: string[] | null = null, ahead = 0) {
  const now = Date.now();
  const items = values.map(([[code, unit], value, at = now]) => {
    seq += 1;
    return { code, value, unit, effective_at: new Date(at + ahead).toISOString(), seq };
  });
  const origin = { kind: "device", credential: CREDENTIALS[device] ?? "" } as const;
  return monitor().record(origin, { items, sent_at: now + ahead, conditions });
}

const act = (kind: "acknowledge" | "resolve", n: number) => monitor().actOnAlert({ kind, number: n, by: NURSE });
const numberOf = async (about: string) => {
  const found = (await monitor().snapshot())?.alerts.find(({ rule, code }) => `${rule} ${code}` === about);
  const n = found?.alert_id.split("-a")[1];
  if (n === undefined) throw new Error(`no alert about ${about}`);
  return Number.parseInt(n, 32);
};

/**
 * Fifty days of one patient: blocks, late blocks, an archive, a correction, delivered hours, pending hours and recounts,
 * items set aside, alerts in every state, and an outbox that was not delivered to D1.
 */
export async function livePatient(): Promise<void> {
  seq = 0;
  clock(MORNING - 50 * DAY);
  await monitor().configure(factsAt(MORNING - 50 * DAY));
  await send(MONITOR, [
    [HEART_RATE, 71],
    [SATURATION, 97],
  ]);
  clock(MORNING - 49 * DAY);
  await send(MONITOR, [[HEART_RATE, 72]]);
  clock(MORNING - 2 * DAY);
  await alarm();
  await send(MONITOR, [
    [HEART_RATE, 73],
    [SATURATION, 96],
  ]);
  clock(MORNING - DAY);
  await alarm();
  // Two hours of a bedside monitor, with a fast rise within the limits and one impossible value.
  for (let minute = -120; minute < 0; minute += 1) {
    clock(MORNING + minute * MINUTE);
    await send(
      MONITOR,
      [
        [HEART_RATE, 70 + (minute % 5)],
        [SATURATION, minute === -60 ? 300 : 96],
      ],
      ["low_battery"],
    );
    if (minute % 30 === 0)
      await send(BAND, [
        [TEMPERATURE, 37.2],
        [BREATHING, 16],
      ]);
  }
  await alarm();
  for (let step = 0; step < 6; step += 1) {
    clock(MORNING + step * 12 * SECOND);
    await send(MONITOR, [
      [HEART_RATE, 80 + 6 * step],
      [SYSTOLIC, 118],
    ]);
  }
  await resolveAndAcknowledge();
  await tellNobody();
  await setAside();
}

/** A past hour and a wrong clock wait in the outbox: D1 rejects them. */
async function tellNobody(): Promise<void> {
  await env.DB.exec("ALTER TABLE vital_hours RENAME TO vital_hours_away");
  await send(BAND, [[TEMPERATURE, 38.3]], null, 10 * MINUTE);
  await alarm();
  await env.DB.exec("ALTER TABLE vital_hours_away RENAME TO vital_hours");
}

async function resolveAndAcknowledge(): Promise<void> {
  await act("resolve", await numberOf("technical null"));
  await send(MONITOR, [[HEART_RATE, 109]], ["low_battery", "leads_off"]);
  // A critical value that recovers before anybody acknowledges it stays open; one is acknowledged; one is resolved.
  clock(MORNING + 3 * MINUTE);
  await send(MONITOR, [
    [SATURATION, 70],
    [HEART_RATE, 180],
    [SYSTOLIC, 60],
  ]);
  await act("acknowledge", await numberOf("limit 8867-4"));
  await act("resolve", await numberOf("limit 8480-6"));
  for (let second = 10; second <= 60; second += 10) {
    clock(MORNING + 3 * MINUTE + second * SECOND);
    await send(MONITOR, [
      [SATURATION, 97],
      [HEART_RATE, 175],
    ]);
  }
  // The wearable is silent for longer than allowed, and returns.
  clock(MORNING + 40 * MINUTE);
  await send(MONITOR, [
    [HEART_RATE, 178],
    [SATURATION, 97],
  ]);
  await send(BAND, [[TEMPERATURE, 38.4]]);
  clock(MORNING + 41 * MINUTE);
  await send(MONITOR, [
    [HEART_RATE, 176],
    [SATURATION, 89],
  ]);
}

async function setAside(): Promise<void> {
  const now = Date.now();
  // Late for a delivered hour, late for a pending one, and an unknown unit.
  await send(BAND, [
    [TEMPERATURE, 36.9, now - 5 * HOUR],
    [TEMPERATURE, 37, now - 90 * MINUTE],
  ]);
  await send(BAND, [[["8310-5", "furlong"], 12]]);
  const { samples } = await monitor().history({ codes: ["8867-4"], from: now - HOUR, to: now, limit: 1, after: null });
  const [block = "", index = ""] = samples[0]?.observation_id.split("-").slice(1) ?? [];
  await monitor().amend(
    { block: Number.parseInt(block, 32), index: Number.parseInt(index, 32) },
    { status: "amended", value: 101, unit: null, reason: "sealed reason", by: NURSE },
  );
  await monitor().watch(now + HOUR);
}

/** The object's current data about the patient: the snapshot, and the samples of the last two days. */
export async function answersOf() {
  const now = Date.now();
  const { samples } = await monitor().history({ codes: null, from: now - 2 * DAY, to: now + 1, limit: 1_000, after: null });
  return { snapshot: await monitor().snapshot(), samples };
}

/** The next two hours: alarms continue, end, escalate, repeat and return. @returns the object's output after each step */
export async function goOn(): Promise<unknown[]> {
  seq = 10_000;
  const start = MORNING + 42 * MINUTE;
  const said: unknown[] = [];
  const then = async (minutes: number, work: () => Promise<unknown>) => {
    clock(start + minutes * MINUTE);
    await work();
    said.push(await monitor().snapshot());
  };
  await then(0, () =>
    send(
      MONITOR,
      [
        [HEART_RATE, 176],
        [SATURATION, 89],
        [SYSTOLIC, 60],
      ],
      ["leads_off", "low_battery"],
    ),
  );
  await then(1, () =>
    send(MONITOR, [
      [HEART_RATE, 90],
      [SATURATION, 88],
    ]),
  );
  await then(2, () =>
    send(
      MONITOR,
      [
        [HEART_RATE, 88],
        [SATURATION, 95],
        [SYSTOLIC, 59],
      ],
      [],
    ),
  );
  await then(2.2, () =>
    send(
      MONITOR,
      [
        [HEART_RATE, 60],
        [SATURATION, 95],
      ],
      ["low_battery"],
    ),
  );
  await then(3, async () => act("acknowledge", await numberOf("limit 2708-6")));
  await then(8, () =>
    send(MONITOR, [
      [HEART_RATE, 61],
      [BREATHING, 28],
    ]),
  );
  await then(8.6, () => send(MONITOR, [[HEART_RATE, 60]]));
  await then(25, () => monitor().configure(factsAt(start + 25 * MINUTE)));
  await then(120, () => monitor().configure(factsAt(start + 120 * MINUTE)));
  return said;
}
