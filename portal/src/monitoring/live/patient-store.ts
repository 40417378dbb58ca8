// Store of watched patients outside React: only the rows of changed patients render, and the frames of one
// animation frame render together.
import type {
  AlertView,
  LimitsInForce,
  LiveFrame,
  LiveSample,
  ObservationsView,
  PatientSnapshot,
  Score,
  TrendMarkView,
} from "../../../../src/monitoring/patient-object/contract.ts";
import { latestKey, shownTime, toLatestSamples } from "./latest-samples.ts";
import { serverNow, syncServerClock } from "./server-clock.ts";

/** `latest`: see latest-samples.ts. */
export type LivePatient = {
  patientId: string;
  wardId: string | null;
  monitoring: PatientSnapshot["monitoring"] | null;
  latest: ReadonlyMap<string, LiveSample>;
  alerts: ReadonlyMap<string, AlertView>;
  news2: Score | null;
  observations: ObservationsView | null;
  /** Null where the ward does not use it. */
  trendMark: TrendMarkView | null;
  /** By code. */
  limits: ReadonlyMap<string, LimitsInForce>;
  /** When these were received, by the server's clock. */
  limitsSince: number;
  devices: PatientSnapshot["devices"];
  /** When samples of the past last arrived that were not pushed, by the server's clock; 0 for never. */
  backfilledAt: number;
  /** Recent samples, oldest first: more for the focused patient, whose charts follow live. */
  recent: readonly LiveSample[];
};

/** A patient's state as REST answers have it. `devices`: null when they were not read. */
export type PolledPatient = Omit<PatientSnapshot, "devices"> & { devices: PatientSnapshot["devices"] | null };
/** `alerts`: all open alerts of all patients in view. */
export type PolledState = { patients: readonly PolledPatient[]; alerts: readonly AlertView[] };

export type AlertChange = { what: string; alert: AlertView };

/** Samples kept for the focused patient: ten minutes of six vital signs per second. */
const MAX_RECENT_FOCUSED = 3_600;
/** Samples kept for all other patients: enough to estimate the measurement interval. */
const MAX_RECENT_OTHERS = 60;

const patients = new Map<string, LivePatient>();
let watchedIds: readonly string[] = [];
let focusedPatientId: string | null = null;
/** Open alerts of all patients in view, oldest first. */
let openAlertList: readonly AlertView[] = [];
const patientListeners = new Map<string, Set<() => void>>();
const watchedIdsListeners = new Set<() => void>();
const openAlertsListeners = new Set<() => void>();
const alertChangeListeners = new Set<(heard: AlertChange) => void>();
const changedPatientIds = new Set<string>();
let watchedIdsChanged = false;
let alertsChanged = false;
let isNotifyScheduled = false;

const emptyPatient = (patientId: string): LivePatient => ({
  patientId,
  wardId: null,
  monitoring: null,
  latest: new Map(),
  alerts: new Map(),
  news2: null,
  observations: null,
  trendMark: null,
  limits: new Map(),
  limitsSince: 0,
  devices: [],
  backfilledAt: 0,
  recent: [],
});

/** The patient whose page is open; null when there is none. */
export function setFocusedPatient(patientId: string | null): void {
  focusedPatientId = patientId;
}

export const getFocusedPatientId = (): string | null => focusedPatientId;
export const getLivePatient = (id: string): LivePatient | undefined => patients.get(id);
export const getWatchedIds = (): readonly string[] => watchedIds;
export const getOpenAlerts = (): readonly AlertView[] => openAlertList;

export function subscribePatient(id: string, listener: () => void): () => void {
  const listeners = patientListeners.get(id) ?? new Set();
  patientListeners.set(id, listeners.add(listener));
  return () => listeners.delete(listener);
}
export const subscribeWatchedIds = (listener: () => void) => addListener(watchedIdsListeners, listener);
export const subscribeAlerts = (listener: () => void) => addListener(openAlertsListeners, listener);
/** Subscribes to each change of an alert, immediately; snapshots trigger none. */
export const onAlert = (listener: (heard: AlertChange) => void) => addListener(alertChangeListeners, listener);

function addListener<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A snapshot with unchanged limits keeps their age. */
function updateLimits({ limits, limitsSince }: LivePatient, snapshotLimits: readonly LimitsInForce[], at: number) {
  if (JSON.stringify([...limits.values()]) === JSON.stringify(snapshotLimits)) return { limits, limitsSince };
  return { limits: new Map(snapshotLimits.map((one) => [one.code, one])), limitsSince: at };
}
const isOpen = ({ state }: AlertView) => state !== "cleared";

function addSamples(patient: LivePatient, samples: readonly LiveSample[]): LivePatient {
  const latest = new Map(patient.latest);
  for (const sample of samples) {
    const previous = latest.get(latestKey(sample));
    if (sample.status === "entered-in-error") {
      if (previous?.observation_id === sample.observation_id) latest.delete(latestKey(sample));
      continue;
    }
    // A stored value that turned out to be invalid: the valid one before it follows in the same frame.
    if (sample.status === "invalid" && latest.get(sample.code)?.observation_id === sample.observation_id)
      latest.delete(sample.code);
    if (!previous || shownTime(sample) >= shownTime(previous)) latest.set(latestKey(sample), sample);
  }
  const maxRecent = patient.patientId === focusedPatientId || watchedIds.length === 1 ? MAX_RECENT_FOCUSED : MAX_RECENT_OTHERS;
  return { ...patient, latest, recent: [...patient.recent, ...samples].slice(-maxRecent) };
}

function toLivePatient(snapshot: PolledPatient): LivePatient {
  syncServerClock(Date.parse(snapshot.as_of));
  const current = patients.get(snapshot.patient_id) ?? emptyPatient(snapshot.patient_id);
  return {
    ...current,
    wardId: snapshot.ward_id,
    monitoring: snapshot.monitoring,
    latest: toLatestSamples(snapshot.latest),
    alerts: new Map(snapshot.alerts.filter(isOpen).map((alert) => [alert.alert_id, alert])),
    news2: snapshot.news2,
    observations: snapshot.observations ?? null,
    trendMark: snapshot.trend_mark ?? null,
    ...updateLimits(current, snapshot.limits, Date.parse(snapshot.as_of)),
    devices: snapshot.devices ?? current.devices,
  };
}

function storePatient(patient: LivePatient): void {
  patients.set(patient.patientId, patient);
  changedPatientIds.add(patient.patientId);
}

function updateAlert(patient: LivePatient, alert: AlertView): LivePatient {
  const alerts = new Map(patient.alerts);
  if (isOpen(alert)) alerts.set(alert.alert_id, alert);
  else alerts.delete(alert.alert_id);
  return { ...patient, alerts };
}

/** Applies one frame; subscribers are notified on the next animation frame. */
export function applyFrame(frame: LiveFrame): void {
  switch (frame.type) {
    case "snapshot":
      for (const snapshot of frame.patients) storePatient(toLivePatient(snapshot));
      alertsChanged = true;
      break;
    case "samples": {
      for (const { received_at } of frame.samples) syncServerClock(Date.parse(received_at));
      const current = patients.get(frame.patient_id) ?? emptyPatient(frame.patient_id);
      storePatient({
        ...addSamples(current, frame.samples),
        news2: frame.news2,
        observations: frame.observations ?? current.observations,
        trendMark: frame.trend_mark ?? null,
      });
      break;
    }
    case "observations": {
      const current = patients.get(frame.patient_id) ?? emptyPatient(frame.patient_id);
      storePatient({ ...current, observations: frame.observations, trendMark: frame.trend_mark ?? null });
      break;
    }
    case "backfill":
      storePatient({ ...(patients.get(frame.patient_id) ?? emptyPatient(frame.patient_id)), backfilledAt: serverNow() });
      break;
    case "alert":
      storePatient(updateAlert(patients.get(frame.patient_id) ?? emptyPatient(frame.patient_id), frame.alert));
      alertsChanged = true;
      for (const listener of alertChangeListeners) listener(frame);
      break;
    case "limits": {
      const current = patients.get(frame.patient_id) ?? emptyPatient(frame.patient_id);
      storePatient({ ...current, ...updateLimits(current, frame.limits, serverNow()) });
      break;
    }
    case "view":
      setWatchedIds(frame.patient_ids);
      break;
    case "gap":
    case "beat":
      break;
  }
  scheduleNotify();
}

/** Applies the states that were read by REST: as a snapshot and a view, with the new samples for charts that follow. */
export function applyPolledState({ patients: polled, alerts }: PolledState): void {
  for (const snapshot of polled) {
    const known = patients.get(snapshot.patient_id);
    const knownIds = new Set([...(known?.latest.values() ?? [])].map(({ observation_id }) => observation_id));
    const newSamples = snapshot.latest.filter(({ observation_id }) => known && !knownIds.has(observation_id));
    const { latest: _, recent } = addSamples(known ?? emptyPatient(snapshot.patient_id), newSamples);
    storePatient({ ...toLivePatient(snapshot), recent });
  }
  const polledIds = new Set(polled.map(({ patient_id }) => patient_id));
  const alertsByPatient = Map.groupBy(
    alerts.filter(({ patient_id }) => !polledIds.has(patient_id)),
    ({ patient_id }) => patient_id,
  );
  // Of a patient who is on no board only the alarms are known.
  for (const [id, own] of alertsByPatient)
    storePatient({ ...emptyPatient(id), alerts: new Map(own.map((alert) => [alert.alert_id, alert])) });
  const ids = [...polledIds, ...alertsByPatient.keys()];
  // The same view again is no change: with each change pages read their lists anew.
  const isSameView = ids.length === watchedIds.length && watchedIds.every((id) => ids.includes(id));
  setWatchedIds(isSameView ? watchedIds : ids);
  scheduleNotify();
}

function setWatchedIds(ids: readonly string[]): void {
  const shown = new Set(ids);
  for (const id of patients.keys())
    if (!shown.has(id)) {
      patients.delete(id);
      changedPatientIds.add(id);
    }
  watchedIdsChanged ||= ids !== watchedIds;
  watchedIds = ids;
  alertsChanged = true;
}

/** Applies what is due from a server response before its frame arrives. */
export function applyObservations(patientId: string, observations: ObservationsView): void {
  const current = patients.get(patientId);
  if (!current) return;
  storePatient({ ...current, observations });
  scheduleNotify();
}

/** Applies an alert from a server response before its frame arrives. */
export function applyAlert(alert: AlertView): void {
  const current = patients.get(alert.patient_id);
  if (!current) return;
  storePatient(updateAlert(current, alert));
  alertsChanged = true;
  scheduleNotify();
}

function scheduleNotify(): void {
  if (!isNotifyScheduled) requestAnimationFrame(notifyListeners);
  isNotifyScheduled = true;
}

function notifyListeners(): void {
  isNotifyScheduled = false;
  const ids = [...changedPatientIds];
  changedPatientIds.clear();
  if (alertsChanged) {
    openAlertList = [...patients.values()]
      .flatMap(({ alerts }) => [...alerts.values()])
      .sort((a, b) => (a.raised_at < b.raised_at ? -1 : a.raised_at > b.raised_at ? 1 : 0));
    alertsChanged = false;
    for (const listener of openAlertsListeners) listener();
  }
  for (const id of ids) for (const listener of patientListeners.get(id) ?? []) listener();
  if (watchedIdsChanged) {
    watchedIdsChanged = false;
    for (const listener of watchedIdsListeners) listener();
  }
}

/** Clears all patient data on sign-out. */
export function clearPatients(): void {
  patients.clear();
  watchedIds = [];
  openAlertList = [];
}
