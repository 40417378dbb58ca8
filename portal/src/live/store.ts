// What is known of each patient who is watched, kept outside React: one row is drawn again when its patient changes, and
// frames of one animation frame are drawn together.
import type {
  AlertView,
  LimitsInForce,
  LiveFrame,
  LiveSample,
  PatientSnapshot,
  Score,
} from "../../../src/monitoring/patient-object/contract.ts";
import { heard, serverNow } from "./server-clock.ts";

/** `latest` by code: a valid value; under `<code>!` the newest invalid one. */
export type LivePatient = {
  patientId: string;
  wardId: string | null;
  monitoring: PatientSnapshot["monitoring"] | null;
  latest: ReadonlyMap<string, LiveSample>;
  alerts: ReadonlyMap<string, AlertView>;
  news2: Score | null;
  /** By code. */
  limits: ReadonlyMap<string, LimitsInForce>;
  /** When these were heard of, by the server's clock. */
  limitsSince: number;
  devices: PatientSnapshot["devices"];
  /** The last samples that came, oldest first: many of the patient who is looked at, for charts that follow. */
  recent: readonly LiveSample[];
};

export type AlertHeard = { what: string; alert: AlertView };

/** How many samples are kept for the charts of the patient who is looked at: ten minutes of six vitals a second. */
const MOST_RECENT = 3_600;
/** Of everybody else on a ward: enough to tell how often they measure. */
const FEW_RECENT = 60;

const patients = new Map<string, LivePatient>();
let inView: readonly string[] = [];
let lookedAt: string | null = null;
/** Open alerts of everybody in view, oldest first. */
let open: readonly AlertView[] = [];
const ofPatient = new Map<string, Set<() => void>>();
const ofView = new Set<() => void>();
const ofAlerts = new Set<() => void>();
const alertListeners = new Set<(heard: AlertHeard) => void>();
const changed = new Set<string>();
let viewChanged = false;
let alertsChanged = false;
let drawing = false;

const nobody = (patientId: string): LivePatient => ({
  patientId,
  wardId: null,
  monitoring: null,
  latest: new Map(),
  alerts: new Map(),
  news2: null,
  limits: new Map(),
  limitsSince: 0,
  devices: [],
  recent: [],
});

/** The patient whose page is open; null where none is. */
export function lookAt(patientId: string | null): void {
  lookedAt = patientId;
}

export const patientOf = (id: string): LivePatient | undefined => patients.get(id);
export const view = (): readonly string[] => inView;
export const openAlerts = (): readonly AlertView[] => open;

export function subscribePatient(id: string, listener: () => void): () => void {
  const listeners = ofPatient.get(id) ?? new Set();
  ofPatient.set(id, listeners.add(listener));
  return () => listeners.delete(listener);
}
export const subscribeView = (listener: () => void) => added(ofView, listener);
export const subscribeAlerts = (listener: () => void) => added(ofAlerts, listener);
/** Hears each change of an alert once, as it happens; snapshots tell none. */
export const onAlert = (listener: (heard: AlertHeard) => void) => added(alertListeners, listener);

function added<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const slotOf = ({ code, status }: LiveSample) => (status === "invalid" ? `${code}!` : code);
/** A snapshot that tells nothing new of the limits leaves them as old as they are. */
function withLimits({ limits, limitsSince }: LivePatient, told: readonly LimitsInForce[], at: number) {
  if (JSON.stringify([...limits.values()]) === JSON.stringify(told)) return { limits, limitsSince };
  return { limits: new Map(told.map((one) => [one.code, one])), limitsSince: at };
}
const isOpen = ({ state }: AlertView) => state !== "cleared";

function withSamples(patient: LivePatient, samples: readonly LiveSample[]): LivePatient {
  const latest = new Map(patient.latest);
  for (const sample of samples) {
    const before = latest.get(slotOf(sample));
    if (sample.status === "entered-in-error") {
      if (before?.observation_id === sample.observation_id) latest.delete(slotOf(sample));
    } else if (!before || sample.effective_at >= before.effective_at) latest.set(slotOf(sample), sample);
  }
  const kept = patient.patientId === lookedAt || inView.length === 1 ? MOST_RECENT : FEW_RECENT;
  return { ...patient, latest, recent: [...patient.recent, ...samples].slice(-kept) };
}

function fromSnapshot(snapshot: PatientSnapshot): LivePatient {
  heard(Date.parse(snapshot.as_of));
  const known = patients.get(snapshot.patient_id) ?? nobody(snapshot.patient_id);
  return {
    ...known,
    wardId: snapshot.ward_id,
    monitoring: snapshot.monitoring,
    latest: new Map(snapshot.latest.map((sample) => [slotOf(sample), sample])),
    alerts: new Map(snapshot.alerts.filter(isOpen).map((alert) => [alert.alert_id, alert])),
    news2: snapshot.news2,
    ...withLimits(known, snapshot.limits, Date.parse(snapshot.as_of)),
    devices: snapshot.devices,
  };
}

function put(patient: LivePatient): void {
  patients.set(patient.patientId, patient);
  changed.add(patient.patientId);
}

function withAlert(patient: LivePatient, alert: AlertView): LivePatient {
  const alerts = new Map(patient.alerts);
  if (isOpen(alert)) alerts.set(alert.alert_id, alert);
  else alerts.delete(alert.alert_id);
  return { ...patient, alerts };
}

/** Takes one frame in; who subscribes hears of it with the next animation frame. */
export function take(next: LiveFrame): void {
  switch (next.type) {
    case "snapshot":
      for (const snapshot of next.patients) put(fromSnapshot(snapshot));
      alertsChanged = true;
      break;
    case "samples": {
      for (const { received_at } of next.samples) heard(Date.parse(received_at));
      const known = patients.get(next.patient_id) ?? nobody(next.patient_id);
      put({ ...withSamples(known, next.samples), news2: next.news2 });
      break;
    }
    case "alert":
      put(withAlert(patients.get(next.patient_id) ?? nobody(next.patient_id), next.alert));
      alertsChanged = true;
      for (const listener of alertListeners) listener(next);
      break;
    case "limits": {
      const known = patients.get(next.patient_id) ?? nobody(next.patient_id);
      put({ ...known, ...withLimits(known, next.limits, serverNow()) });
      break;
    }
    case "view": {
      const shown = new Set(next.patient_ids);
      for (const id of patients.keys()) if (!shown.has(id)) patients.delete(id);
      inView = next.patient_ids;
      viewChanged = true;
      alertsChanged = true;
      break;
    }
    case "gap":
      break;
  }
  draw();
}

/** An alert as the server answered it, before its frame comes. */
export function takeAlert(alert: AlertView): void {
  const known = patients.get(alert.patient_id);
  if (!known) return;
  put(withAlert(known, alert));
  alertsChanged = true;
  draw();
}

function draw(): void {
  if (!drawing) requestAnimationFrame(tell);
  drawing = true;
}

function tell(): void {
  drawing = false;
  const ids = [...changed];
  changed.clear();
  if (alertsChanged) {
    open = [...patients.values()]
      .flatMap(({ alerts }) => [...alerts.values()])
      .sort((a, b) => (a.raised_at < b.raised_at ? -1 : a.raised_at > b.raised_at ? 1 : 0));
    alertsChanged = false;
    for (const listener of ofAlerts) listener();
  }
  for (const id of ids) for (const listener of ofPatient.get(id) ?? []) listener();
  if (viewChanged) {
    viewChanged = false;
    for (const listener of ofView) listener();
  }
}

/** For whoever is signed out: nothing of anybody stays. */
export function forgetAll(): void {
  patients.clear();
  inView = [];
  open = [];
}
