// Preview of alert limits: alarms of the last 24 hours under the current and the proposed limits of a patient.

import type { Call } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent } from "../../access/audit.ts";
import { authorizePatient } from "../../access/patient-access.ts";
import { ApiError } from "../../platform/errors.ts";
import { DAY_MS, toIso } from "../../platform/time.ts";
import { checkLimits, type LimitsOverride, mergeLimits } from "../alarm-rules/limits.ts";
import { type AlarmCount, previewAlarms } from "../alarm-rules/preview.ts";
import { callMonitor } from "../intake/ingest.ts";
import { buildAlarmConfig } from "../patient-object/context/alarm-config.ts";
import { loadFacts } from "../patient-object/context/facts.ts";
import type { LiveSample } from "../patient-object/contract.ts";
import type { HistoryPage, SamplePosition } from "../patient-object/samples/read-samples.ts";
import type { Sample, Vital } from "../vitals/model.ts";
import { assertValidLimits, toPatientAuditEvent } from "./alert-rules.ts";

/** Samples per call of the object, and in total: a day at 1 Hz has 86,400. */
const PAGE_SIZE = 10_000;
const MAX_PREVIEW_SAMPLES = 100_000;
/** A page may be short, where many samples of other vitals lie between. */
const MAX_PREVIEW_PAGES = 20;

const NO_ALARMS: AlarmCount = { alarms: 0, high: 0, medium: 0, low: 0 };

/**
 * Replays the last 24 hours of a vital under the current limits and under the proposed ones of the patient.
 * @throws ApiError not_found, invalid_request
 */
export async function previewRule(env: Env, call: Call, ref: string, vital: Vital, limits: LimitsOverride) {
  const { now } = call;
  const { code } = vital;
  const access = await authorizePatient(call, { patient: ref }, "alert_rule:read");
  const patientId = access.patient.id;
  const event = { ...toPatientAuditEvent(access, "alert_rule.preview", "R"), detail: { code, limits } };
  const facts = await afterAudit(appendAuditEvent(call, event), loadFacts(call, patientId, now));
  if (!facts) throw new ApiError("not_found");
  const config = buildAlarmConfig(facts, now);
  const { ward, patient } = facts.overrides;
  const inherited = buildAlarmConfig({ ...facts, overrides: { ward, patient: {} } }, now).limits;
  assertValidLimits(checkLimits(limits, code, inherited[code]), "limits.");
  const after = mergeLimits(inherited, {}, { ...patient, [code]: limits });
  const { samples, from } = await loadLastDay(env, patientId, code, now);
  const counted =
    previewAlarms(samples, config.limits, after, config).by_code[code] ??
    // previewAlarms omits codes whose limits do not change.
    toUnchanged(previewAlarms(samples, {}, after, config).by_code[code]?.after ?? NO_ALARMS);
  return {
    patient_id: patientId,
    code,
    name: vital.name,
    unit: vital.unit,
    from: toIso(from),
    to: toIso(now),
    samples: samples.length,
    before: { limits: config.limits[code] ?? null, ...counted.before },
    after: { limits: after[code] ?? null, ...counted.after },
  };
}

const toUnchanged = (count: AlarmCount) => ({ before: count, after: count });

/** Newest first. @returns `from`: the time since which all samples were read, later than a day ago beyond the maximum */
async function loadLastDay(env: Env, patientId: string, code: string, now: number): Promise<{ samples: Sample[]; from: number }> {
  const readPage = (after: SamplePosition | null) =>
    callMonitor(env, async () => {
      const query = { codes: [code], from: now - DAY_MS, to: now + 1, limit: PAGE_SIZE, after };
      return env.PATIENT_MONITOR.getByName(patientId).history(query);
    });
  const samples: Sample[] = [];
  let after: SamplePosition | null = null;
  for (let pages = 0; pages < MAX_PREVIEW_PAGES && samples.length < MAX_PREVIEW_SAMPLES; pages++) {
    const { samples: part, next }: HistoryPage = await readPage(after);
    samples.push(...part.map(toSample));
    after = next;
    if (after === null) break;
  }
  return { samples, from: after?.at ?? now - DAY_MS };
}

/** Amended samples count with their current value; samples entered in error do not count. */
function toSample({ code, value, unit, effective_at, status }: LiveSample): Sample {
  const isCounted = status === "final" || status === "amended";
  return { code, value, unit, at: Date.parse(effective_at), seq: null, status: isCounted ? "final" : "invalid" };
}
