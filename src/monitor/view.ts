// What readers see of a patient's object: samples with ids and ISO times, alerts, the score, the snapshot.
import type { Alert } from "../alerts/model.ts";
import { vitalOf } from "../vitals/catalogue.ts";
import { news2Of as scoreOf } from "../vitals/news2.ts";
import { bandOf, limitsInForce, news2Of } from "./alarm-config.ts";
import type { AlertView, LiveSample, PatientFrame, PatientSnapshot, Score } from "./contract.ts";
import type { Facts } from "./facts.ts";
import { alertId, observationId } from "./ids.ts";
import type { Memory } from "./memory.ts";
import type { Correction } from "./settings.ts";
import type { Placed } from "./store.ts";

const iso = (time: number) => new Date(time).toISOString();
const isoOrNull = (time: number | null) => (time === null ? null : iso(time));
const PERSON = "user:";

/** What a correction holds: the value that counts now; the old one stays in the block. */
export type CorrectionBody = {
  status: "amended" | "entered-in-error";
  value: number;
  by: string;
  reason: string;
  at: number;
  /** Every value before, oldest first. */
  before: { value: number; by: string; at: number; reason: string | null }[];
};

export type Shown = Pick<Placed, "code" | "value" | "unit" | "at" | "received" | "device" | "index" | "block"> & {
  status: LiveSample["status"];
};

export const byPerson = (id: string) => `${PERSON}${id}`;

export function toLive(patientId: string, { code, value, unit, at, received, device, status, block, index }: Shown): LiveSample {
  const person = device?.startsWith(PERSON) ? device.slice(PERSON.length) : null;
  return {
    observation_id: observationId(patientId, block, index),
    code,
    name: vitalOf(code)?.name ?? null,
    value,
    unit,
    effective_at: iso(at),
    received_at: iso(received),
    device_id: person === null ? device : null,
    performer_id: person,
    status,
  };
}

/** Samples with their corrections over them. */
export function corrected(samples: readonly Placed[], corrections: readonly Correction[]): Shown[] {
  if (corrections.length === 0) return [...samples];
  const by = new Map(corrections.map(({ block, place, body }) => [`${block} ${place}`, body]));
  return samples.map((sample) => {
    const body = by.get(`${sample.block} ${sample.index}`);
    if (body === undefined) return sample;
    // Somebody corrected it, and nobody can read how: the value as it was must not count any more.
    if (body === null) return { ...sample, status: "entered-in-error" };
    return { ...sample, status: body.status, value: body.value };
  });
}

/** How a corrected sample counts in rollups: amended values do, errors do not. */
export function counted(shown: Shown): { code: string; value: number; at: number; status: "final" | "invalid" } {
  const { code, value, at, status } = shown;
  return { code, value, at, status: status === "final" || status === "amended" ? "final" : "invalid" };
}

export function toAlertView(patientId: string, alert: Alert): AlertView {
  const end = alert.cleared_at ?? alert.recovered_at;
  return {
    alert_id: alertId(patientId, alert.number),
    patient_id: patientId,
    rule: alert.rule,
    code: alert.code,
    device_id: alert.device,
    priority: alert.priority,
    state: alert.state,
    why: alert.why,
    raised_at: iso(alert.raised_at),
    acknowledged_at: isoOrNull(alert.acknowledged_at),
    acknowledged_by: alert.acknowledged_by,
    assigned_to: alert.assigned_to,
    escalation_tier: alert.tier,
    snoozed_until: isoOrNull(alert.snoozed_until),
    recovered_at: isoOrNull(alert.recovered_at),
    cleared_at: isoOrNull(alert.cleared_at),
    duration_s: end === null ? null : Math.round((end - alert.raised_at) / 1000),
  };
}

/** NEWS2 of what was received within the window. */
export function scoreNow(facts: Facts, { latest }: Memory, now: number): Score {
  const applies = news2Of(facts, now);
  if (!applies) {
    if (!facts.age) return { status: "not_applicable", reason: "age_unknown" };
    return { status: "not_applicable", reason: bandOf(facts, now) === "adult" || facts.pregnant ? "pregnancy" : "age" };
  }
  const result = scoreOf(latest, { now, windowMs: applies.window_ms, scale: applies.scale });
  if ("missing" in result) return { status: "incomplete", missing: result.missing, stale: result.stale };
  return { status: "complete", score: result.score, risk: result.risk, parts: result.parts, as_of: iso(now) };
}

export function latestOf(patientId: string, memory: Memory): LiveSample[] {
  return Object.entries(memory.latest).map(([slot, { by, amended, ...sample }]) =>
    toLive(patientId, {
      ...sample,
      code: slot.replace(/!$/, ""),
      device: by,
      status: amended ? "amended" : sample.status,
    }),
  );
}

export function snapshotOf(facts: Facts, memory: Memory, open: readonly Alert[], now: number): PatientSnapshot {
  return {
    patient_id: facts.patient,
    ward_id: facts.ward,
    monitoring: facts.monitoring,
    latest: latestOf(facts.patient, memory),
    alerts: open.map((alert) => toAlertView(facts.patient, alert)),
    news2: scoreNow(facts, memory, now),
    limits: limitsInForce(facts, now),
    devices: facts.bindings
      .filter(({ until }) => until === null)
      .map(({ device }) => {
        const heard = memory.heard[device];
        return {
          device_id: device,
          last_seen_at: isoOrNull(heard?.received ?? null),
          clock_skew_ms: heard?.skew ?? null,
          conditions: heard?.conditions ?? [],
        };
      }),
    as_of: iso(now),
  };
}

/** Samples and the score with them. */
export function samplesFrame(facts: Facts, samples: LiveSample[], memory: Memory, now: number): PatientFrame {
  return { type: "samples", patient_id: facts.patient, samples, news2: scoreNow(facts, memory, now) };
}

/** What who watches is told of new facts: limits, where they are others now. */
export function limitFrames(before: Facts | null, after: Facts, now: number): PatientFrame[] {
  const limits = limitsInForce(after, now);
  if (before && JSON.stringify(limitsInForce(before, now)) === JSON.stringify(limits)) return [];
  return [{ type: "limits", patient_id: after.patient, limits }];
}

/** Rollups of hours that are not in D1 yet; hours in D1 that are being counted again. */
export function openHours({ hours, again }: Memory) {
  const open = Object.entries(hours).flatMap(([hour, codes]) =>
    Object.entries(codes).map(([code, rollup]) => ({ hour: Number(hour), code, ...rollup })),
  );
  return { hours: open, again };
}
