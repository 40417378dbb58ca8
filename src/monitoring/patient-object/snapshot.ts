// Conversion of stored state to views and frames: samples, alerts, the score, the snapshot.
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import { getEscalationTime } from "../alarm-rules/alert-lifecycle.ts";
import type { Alert } from "../alarm-rules/model.ts";
import { getTakenScore } from "../alarm-rules/news2-rule.ts";
import { resolveWatch } from "../alarm-rules/watch.ts";
import { findVital } from "../vitals/catalogue.ts";
import { judgeScore } from "../vitals/freshness.ts";
import { shownAt } from "../vitals/model.ts";
import { computeNews2, findNewestSet, scoreSet } from "../vitals/news2.ts";
import { buildAlarmConfig, currentAgeBand, listLimitsInForce, toNews2Config } from "./context/alarm-config.ts";
import type { Facts } from "./context/facts.ts";
import type { AlertView, LiveSample, ObservationsView, PatientFrame, PatientSnapshot, Score } from "./contract.ts";
import type { MonitorMemory } from "./memory/monitor-memory.ts";
import type { Correction } from "./memory/settings.ts";
import { toObservationsView } from "./rounds-view.ts";
import type { LocatedSample } from "./samples/block-rows.ts";
import { toAlertId, toObservationId } from "./samples/ids.ts";
import { viewTrendMark } from "./trend-view.ts";

const PERSON_PREFIX = "user:";

export type CorrectedSample = Pick<
  LocatedSample,
  "code" | "value" | "unit" | "at" | "received" | "device" | "index" | "block" | "activity"
> & {
  status: LiveSample["status"];
};

export const toPersonKey = (id: string) => `${PERSON_PREFIX}${id}`;
export const isPersonKey = (sender: string | null) => sender?.startsWith(PERSON_PREFIX) ?? false;

export function toLiveSample(
  patientId: string,
  { code, value, unit, at, received, device, status, block, index, activity }: CorrectedSample,
): LiveSample {
  const personId = device?.startsWith(PERSON_PREFIX) ? device.slice(PERSON_PREFIX.length) : null;
  return {
    observation_id: toObservationId(patientId, block, index),
    code,
    name: findVital(code)?.name ?? null,
    value,
    unit,
    effective_at: toIso(at),
    received_at: toIso(received),
    device_id: personId === null ? device : null,
    performer_id: personId,
    status,
    ...(activity && { activity }),
  };
}

/** Samples with their corrections applied. */
export function applyCorrections(samples: readonly LocatedSample[], corrections: readonly Correction[]): CorrectedSample[] {
  if (corrections.length === 0) return [...samples];
  const bodyByPosition = new Map(corrections.map(({ block, place, body }) => [`${block} ${place}`, body]));
  return samples.map((sample) => {
    const body = bodyByPosition.get(`${sample.block} ${sample.index}`);
    if (body === undefined) return sample;
    // The correction is unreadable: the original value must not count.
    if (body === null) return { ...sample, status: "entered-in-error" };
    return { ...sample, status: body.status, value: body.value, unit: body.unit ?? sample.unit };
  });
}

/** A corrected sample for rollups: amended values count, samples entered in error do not. */
export function toMeasuredSample(corrected: CorrectedSample): {
  code: string;
  value: number;
  at: number;
  status: "final" | "invalid";
} {
  const { code, value, at, status } = corrected;
  return { code, value, at, status: status === "final" || status === "amended" ? "final" : "invalid" };
}

export function toAlertView(patientId: string, alert: Alert): AlertView {
  const end = alert.cleared_at ?? alert.recovered_at;
  return {
    alert_id: toAlertId(patientId, alert.number),
    patient_id: patientId,
    rule: alert.rule,
    code: alert.code,
    device_id: alert.device,
    priority: alert.priority,
    state: alert.state,
    why: alert.why,
    sounds: alert.sounds ?? true,
    raised_at: toIso(alert.raised_at),
    acknowledged_at: toIsoOrNull(alert.acknowledged_at),
    acknowledged_by: alert.acknowledged_by,
    assigned_to: alert.assigned_to,
    escalation_tier: alert.tier,
    snoozed_until: toIsoOrNull(alert.snoozed_until),
    escalates_at: toIsoOrNull(getEscalationTime(alert)),
    recovered_at: toIsoOrNull(alert.recovered_at),
    cleared_at: toIsoOrNull(alert.cleared_at),
    duration_s: end === null ? null : Math.round((end - alert.raised_at) / 1000),
  };
}

/** NEWS2 of the last complete set, which the alarm rules remember; `incomplete` only when there never was one. */
export function computeScore(facts: Facts, { alarm, latest }: MonitorMemory, now: number): Score {
  const news2Config = toNews2Config(facts, now);
  if (!news2Config) {
    if (!facts.age) return { status: "not_applicable", reason: "age_unknown" };
    return { status: "not_applicable", reason: currentAgeBand(facts, now) === "adult" || facts.pregnant ? "pregnancy" : "age" };
  }
  const config = buildAlarmConfig(facts, now);
  const usable = dropTechnicalZeros(latest, alarm);
  const taken = findTakenScore(facts, { alarm, latest }, now);
  if (taken) {
    const watch = resolveWatch(alarm, config, now);
    const { dueAt, freshUntil, overdueSince } = judgeScore(watch, taken, now);
    return {
      status: overdueSince === null ? "complete" : "overdue",
      score: taken.score,
      risk: taken.risk,
      parts: taken.parts,
      as_of: toIso(taken.at),
      observation_mode: watch.mode,
      due_at: toIso(dueAt),
      overdue_at: toIso(freshUntil),
    };
  }
  const result = computeNews2(usable, { now, windowMs: news2Config.window_ms, scale: news2Config.scale });
  if (result.status === "incomplete") return { status: "incomplete", missing: result.missing, stale: result.stale };
  return { status: "incomplete", missing: [], stale: [] };
}

/** The score of the last complete set; null when there never was one or NEWS2 does not apply. */
export function findTakenScore(facts: Facts, { alarm, latest }: Pick<MonitorMemory, "alarm" | "latest">, now: number) {
  const news2Config = toNews2Config(facts, now);
  if (!news2Config) return null;
  const usable = dropPartial(dropTechnicalZeros(latest, alarm), alarm);
  return getTakenScore(alarm, { news2: news2Config }) ?? scoreLatest(usable, news2Config);
}

export const viewObservations = (facts: Facts, memory: MonitorMemory, now: number): ObservationsView =>
  toObservationsView(facts, memory.alarm, findTakenScore(facts, memory, now), now);

/** What depends on the patient's sets: when the next one is due, and the trend mark. */
const viewRounds = (facts: Facts, memory: MonitorMemory, now: number) => ({
  observations: viewObservations(facts, memory, now),
  trend_mark: viewTrendMark(facts, memory.alarm, now),
});

/** The latest values without those of sets that were not completed, and of exercise. */
function dropPartial(latest: MonitorMemory["latest"], { vitals }: MonitorMemory["alarm"]): MonitorMemory["latest"] {
  const isPartial = ([code, sample]: [string, MonitorMemory["latest"][string]]) =>
    (vitals[code]?.isPartial === true || vitals[code]?.isExercise === true) && vitals[code].measuredAt === shownAt(sample);
  return Object.fromEntries(Object.entries(latest).filter((entry) => !isPartial(entry)));
}

/** The latest values without those of sensors that were off. */
function dropTechnicalZeros(latest: MonitorMemory["latest"], { zeros }: MonitorMemory["alarm"]): MonitorMemory["latest"] {
  const isOff = ([code, sample]: [string, MonitorMemory["latest"][string]]) =>
    sample.value === 0 && zeros?.[code]?.measuredAt === shownAt(sample);
  return Object.fromEntries(Object.entries(latest).filter((entry) => !isOff(entry)));
}

/** For an object that has not run the rules since they began to remember sets. */
function scoreLatest(latest: MonitorMemory["latest"], { window_ms: windowMs, scale }: { window_ms: number; scale: 1 | 2 }) {
  const set = findNewestSet(latest, { windowMs, scale });
  return set && scoreSet(set, scale);
}

export function listLatest(patientId: string, memory: MonitorMemory): LiveSample[] {
  const entries = [...Object.entries(memory.latest), ...Object.entries(memory.latestInvalid)];
  return entries.map(([code, { by, amended, ...sample }]) =>
    toLiveSample(patientId, { ...sample, code, device: by, status: amended ? "amended" : sample.status }),
  );
}

export function buildSnapshot(facts: Facts, memory: MonitorMemory, open: readonly Alert[], now: number): PatientSnapshot {
  return {
    patient_id: facts.patient,
    ward_id: facts.ward,
    monitoring: facts.monitoring,
    latest: listLatest(facts.patient, memory),
    alerts: open.map((alert) => toAlertView(facts.patient, alert)),
    news2: computeScore(facts, memory, now),
    ...viewRounds(facts, memory, now),
    limits: listLimitsInForce(facts, now),
    devices: facts.bindings
      .filter(({ until }) => until === null)
      .map(({ device }) => {
        const status = memory.deviceStatuses[device];
        return {
          device_id: device,
          last_seen_at: toIsoOrNull(status?.received ?? null),
          clock_skew_ms: status?.skew ?? null,
          ...(status?.seqRestartedAt !== undefined && { sequence_restarted_at: toIso(status.seqRestartedAt) }),
          conditions: status?.conditions ?? [],
        };
      }),
    as_of: toIso(now),
  };
}

/** A frame of samples with the current score. */
export function toSamplesFrame(facts: Facts, samples: LiveSample[], memory: MonitorMemory, now: number): PatientFrame {
  const news2 = computeScore(facts, memory, now);
  return { type: "samples", patient_id: facts.patient, samples, news2, ...viewRounds(facts, memory, now) };
}

/** A frame with stored samples that have become invalid, and the latest valid ones in their place. */
function toInvalidatedFrames(
  facts: Facts,
  invalidated: readonly CorrectedSample[],
  memory: MonitorMemory,
  now: number,
): PatientFrame[] {
  if (invalidated.length === 0) return [];
  const codes = new Set(invalidated.map(({ code }) => code));
  const samples = invalidated.slice(-MAX_PUSHED_SAMPLES).map((one) => toLiveSample(facts.patient, { ...one, status: "invalid" }));
  const latest = listLatest(facts.patient, memory).filter(({ code, status }) => codes.has(code) && status !== "invalid");
  return [toSamplesFrame(facts, [...samples, ...latest], memory, now)];
}

/** Samples measured longer ago are history unless they are the newest of their vital. */
const LIVE_AGE_MS = 10 * 60_000;
const MAX_PUSHED_SAMPLES = 200;

/**
 * The frames of new samples: those of the last minutes and the newest of each vital are pushed, at most MAX_PUSHED_SAMPLES;
 * a backlog, such as a monitor sends after an outage, is announced as one frame.
 * @param samples oldest first  @param isHistory announces all of them
 */
function toNewSampleFrames(
  facts: Facts,
  samples: readonly CorrectedSample[],
  memory: MonitorMemory,
  now: number,
  isHistory = false,
): PatientFrame[] {
  const pushed = new Set(isHistory ? [] : new Map(samples.map((sample) => [sample.code, sample])).values());
  for (const sample of samples.toReversed()) {
    if (isHistory || pushed.size >= MAX_PUSHED_SAMPLES || now - sample.at > LIVE_AGE_MS) break;
    pushed.add(sample);
  }
  const live = samples.filter((sample) => pushed.has(sample)).map((sample) => toLiveSample(facts.patient, sample));
  const frames: PatientFrame[] = live.length > 0 ? [toSamplesFrame(facts, live, memory, now)] : [];
  const [first, ...more] = samples.filter((sample) => !pushed.has(sample));
  if (!first) return frames;
  const last = more.at(-1) ?? first;
  return [
    { type: "backfill", patient_id: facts.patient, count: more.length + 1, from: toIso(first.at), to: toIso(last.at) },
    ...frames,
  ];
}

type BatchSample = Omit<CorrectedSample, "received" | "device">;

/** The frames of a recorded batch: of stored samples that it made invalid, and of its new ones, oldest first. */
export function toBatchFrames(
  facts: Facts,
  batch: { newSamples: readonly BatchSample[]; invalidated: { samples: readonly CorrectedSample[] }; isHistory: boolean },
  by: string,
  memory: MonitorMemory,
  now: number,
): PatientFrame[] {
  const samples = batch.newSamples.map((sample) => ({ ...sample, received: now, device: by }));
  return [
    ...toInvalidatedFrames(facts, batch.invalidated.samples, memory, now),
    ...toNewSampleFrames(facts, samples, memory, now, batch.isHistory),
  ];
}

export const toObservationsFrame = (facts: Facts, memory: MonitorMemory, now: number): PatientFrame => ({
  type: "observations",
  patient_id: facts.patient,
  ...viewRounds(facts, memory, now),
});

/** A frame with the limits in effect and one with what is due, where new facts change them. */
export function toFactFrames(before: Facts | null, after: Facts, memory: MonitorMemory, now: number): PatientFrame[] {
  const toFrames = (facts: Facts): PatientFrame[] => [
    { type: "limits", patient_id: after.patient, limits: listLimitsInForce(facts, now) },
    toObservationsFrame(facts, memory, now),
  ];
  const known = new Set(before ? toFrames(before).map((frame) => JSON.stringify(frame)) : []);
  return toFrames(after).filter((frame) => !known.has(JSON.stringify(frame)));
}

/** Rollups of hours that are not in D1 yet, and hours in D1 that wait for a recount. */
export function listOpenHours({ hours, hoursToRecount }: MonitorMemory) {
  const open = Object.entries(hours).flatMap(([hour, codes]) =>
    Object.entries(codes).map(([code, rollup]) => ({ hour: Number(hour), code, ...rollup })),
  );
  return { hours: open, hoursToRecount };
}
