// The facts that a patient's object gets from D1: hospital, ward, assigned devices, limits.

import { sql } from "drizzle-orm";
import type { Call } from "../../../access/actor.ts";
import { credentialHasScope } from "../../../access/credentials.ts";
import { unsealIdentity } from "../../../patients/identity/sealed-fields.ts";
import { getVerifiedKeys } from "../../../platform/config.ts";
import { batch, getDb } from "../../../platform/db/client.ts";
import { MAX_BINDING_LATENESS_MS } from "../../../platform/device-times.ts";
import { DEFAULT_REMINDERS, type Reminders, toReminders } from "../../alarm-rules/escalation.ts";
import { escalationSettingsOf, limitsOverrideOf } from "../../alarm-rules/stored.ts";
import type { News2Profile } from "../../alarm-rules/sustained-profile.ts";
import { findAgeBand } from "../../vitals/catalogue.ts";
import { GRACE_MINUTES, type ObservationMode } from "../../vitals/freshness.ts";
import type { AgeBand, Limits } from "../../vitals/model.ts";

/** An assignment of a device to the patient, with the device's valid credentials and their expiry (epoch milliseconds). */
export type Binding = {
  device: string;
  kind: string;
  from: number;
  until: number | null;
  credentials: Record<string, number | null>;
};

export type Facts = {
  /** When they were read, epoch milliseconds: older facts never replace newer ones. */
  as_of: number;
  patient: string;
  hospital: string;
  ward: string | null;
  /** False for an inactive record or hospital: no samples are accepted and no alerts raised. */
  open: boolean;
  monitoring: "off" | "home" | "ward";
  /** Null when the date of birth is unknown. */
  age: { band: AgeBand; until: number | null } | null;
  pregnant: boolean;
  scale: 1 | 2;
  /** How the patient is watched: the patient's own mode, or that of the ward. */
  watch: { mode: ObservationMode; graceMinutes: number };
  /** When NEWS2 alerts sound, by the choice of the ward. */
  news2Profile: News2Profile;
  /** Whether an overdue set of observations raises an alert. */
  overdueAlarm: boolean;
  /** Whether the ward has chosen the trend mark. */
  trendMark: boolean;
  /** Minutes of escalation and repeat in force. */
  reminders: Reminders;
  overrides: { ward: Record<string, Partial<Limits>>; patient: Record<string, Partial<Limits>> };
  bindings: Binding[];
};

/** What determines the limits from a time (epoch milliseconds) until the next note. */
export type LimitsNote = { at: number } & Pick<Facts, "age" | "overrides"> & { monitoring?: Facts["monitoring"] | undefined };

type PatientFactsRow = {
  id: string;
  version: number;
  identity_sealed: string;
  hospital_id: string;
  ward_id: string | null;
  monitoring: Facts["monitoring"];
  open: number;
  spo2_scale: number | null;
  pregnant: number | null;
  observation_mode: ObservationMode | null;
  grace_minutes: number | null;
  news2_profile: News2Profile | null;
  overdue_alarm: number | null;
  trend_mark: number | null;
  hospital_escalation: string | null;
  ward_escalation: string | null;
};
type BindingRow = {
  device: string;
  kind: string;
  started_at: number;
  ended_at: number | null;
  credential: string | null;
  expires_at: number | null;
};

/** For a patient without a ward and own settings. */
export const DEFAULT_WATCH: Facts["watch"] = { mode: "auto", graceMinutes: GRACE_MINUTES.default };

/** Facts of a patient without settings, own limits or assigned devices. */
export function newFacts(
  patient: Pick<PatientFactsRow, "id" | "hospital_id" | "ward_id" | "monitoring">,
  dateOfBirth: string | null,
  open: boolean,
  now: number,
): Facts {
  return {
    as_of: now,
    patient: patient.id,
    hospital: patient.hospital_id,
    ward: patient.ward_id,
    open,
    monitoring: patient.monitoring,
    age: dateOfBirth === null ? null : findAgeBand(dateOfBirth, now),
    pregnant: false,
    scale: 1,
    watch: DEFAULT_WATCH,
    news2Profile: "rcp",
    overdueAlarm: false,
    trendMark: false,
    reminders: DEFAULT_REMINDERS,
    overrides: { ward: {}, patient: {} },
    bindings: [],
  };
}

/** @param now a time before the read, so that a change during it counts as newer  @returns null when there is no such patient */
export async function loadFacts({ db, keys }: Pick<Call, "db" | "keys">, patientId: string, now: number): Promise<Facts | null> {
  const [[row], rules, bindingRows] = await batch(db, [
    db.all<PatientFactsRow>(sql`SELECT p.id AS id, p.version AS version, p.identity_sealed AS identity_sealed, p.hospital_id AS hospital_id,
        p.ward_id AS ward_id, p.monitoring AS monitoring, p.active AND h.active AS open, s.spo2_scale AS spo2_scale,
        s.pregnant AS pregnant, coalesce(s.observation_mode, w.observation_mode) AS observation_mode,
        w.observation_grace_minutes AS grace_minutes, w.news2_profile AS news2_profile, w.overdue_alarm AS overdue_alarm,
        w.trend_mark AS trend_mark,
        (SELECT settings FROM escalation_settings WHERE scope_id = p.hospital_id) AS hospital_escalation,
        (SELECT settings FROM escalation_settings WHERE scope_id = p.ward_id) AS ward_escalation
      FROM patients p JOIN hospitals h ON h.id = p.hospital_id LEFT JOIN monitoring_settings s ON s.patient_id = p.id
        LEFT JOIN wards w ON w.id = p.ward_id
      WHERE p.id = ${patientId}`),
    db.all<{ scope: "ward" | "patient"; code: string; limits: string }>(sql`SELECT scope, code, limits FROM alert_rules
      WHERE scope_id IN (${patientId}, (SELECT ward_id FROM patients WHERE id = ${patientId}))`),
    db.all<BindingRow>(sql`SELECT a.device_id AS device, d.kind AS kind, a.started_at AS started_at, a.ended_at AS ended_at,
        c.id AS credential, c.expires_at AS expires_at
      FROM device_assignments a JOIN devices d ON d.id = a.device_id AND d.active = 1
        LEFT JOIN credentials c ON c.device_id = a.device_id AND c.revoked_at IS NULL AND ${credentialHasScope("observation:create")}
      WHERE a.patient_id = ${patientId} AND (a.ended_at IS NULL OR a.ended_at > ${now - MAX_BINDING_LATENESS_MS})
      ORDER BY a.started_at`),
  ]);
  if (!row) return null;
  const { date_of_birth: dateOfBirth } = await unsealIdentity(keys, row);
  const overrides: Facts["overrides"] = { ward: {}, patient: {} };
  for (const { scope, code, limits } of rules) overrides[scope][code] = limitsOverrideOf(limits);
  return {
    ...newFacts(row, dateOfBirth, row.open === 1, now),
    pregnant: row.pregnant === 1,
    scale: row.spo2_scale === 2 ? 2 : 1,
    watch: {
      mode: row.observation_mode ?? DEFAULT_WATCH.mode,
      graceMinutes: row.grace_minutes ?? DEFAULT_WATCH.graceMinutes,
    },
    news2Profile: row.news2_profile ?? "rcp",
    overdueAlarm: row.overdue_alarm === 1,
    trendMark: row.trend_mark === 1,
    reminders: toReminders(escalationSettingsOf(row.hospital_escalation), escalationSettingsOf(row.ward_escalation)),
    overrides,
    bindings: toBindings(bindingRows),
  };
}

/** `loadFacts` for callers that have `env` and no call. */
export async function factsFromD1(env: Env, patientId: string, now: number): Promise<Facts | null> {
  return loadFacts({ db: getDb(env.DB), keys: await getVerifiedKeys(env) }, patientId, now);
}

function toBindings(rows: BindingRow[]): Binding[] {
  const bindings = new Map<string, Binding>();
  for (const { device, kind, started_at: from, ended_at: until, credential, expires_at } of rows) {
    const key = `${device} ${from}`;
    const binding = bindings.get(key) ?? { device, kind, from, until, credentials: {} };
    if (credential !== null) binding.credentials[credential] = expires_at;
    bindings.set(key, binding);
  }
  return [...bindings.values()];
}
