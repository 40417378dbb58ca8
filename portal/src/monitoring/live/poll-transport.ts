// Live view by repeated requests, where neither a WebSocket nor a stream passes: the boards of the wards and the open alarms,
// or the latest values of one patient.
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { listActiveWards, type Ward } from "../../organization/hospitals/api.ts";
import { fetchAllPages } from "../../platform/api/fetch-all-pages.ts";
import { listAlerts } from "../alerts/api.ts";
import { readBoard } from "../board/api.ts";
import { readLatest } from "../vitals/api.ts";
import { getFocusedPatientId, type PolledPatient, type PolledState } from "./patient-store.ts";
import {
  endReason,
  getRequestedWaitMs,
  SILENCE_TIMEOUT_MS,
  type Transport,
  type TransportEvents,
  type TransportRequest,
  untilClosed,
  type WatchTarget,
} from "./transport.ts";

/** The API allows 100 requests per user and minute; pages need most of them. */
const MS_PER_REQUEST = 2_000;
const MIN_INTERVAL_MS = 5_000;
/** Patients of further wards are shown as unknown. */
const MAX_WARDS = 10;
const WARDS_STALE_MS = 300_000;

export function openPoll({ target }: TransportRequest, listener: TransportEvents): Transport {
  const { events, isClosed, close } = untilClosed(listener);
  let intervalMs = MIN_INTERVAL_MS;
  let dueAt = 0;
  let isReading = false;
  const listWards = cacheWards();

  async function read(): Promise<void> {
    const { requests, ...state } = await (target.patient_id === undefined
      ? readHospital(await listWards(target), getFocusedPatientId())
      : readPatient(target.patient_id));
    intervalMs = Math.max(MIN_INTERVAL_MS, requests * MS_PER_REQUEST);
    events.onAlive();
    events.onPolled(state);
  }

  function start(now: number): void {
    isReading = true;
    dueAt = now + intervalMs;
    read()
      .catch((error: unknown) => events.onEnd(endReason(error), getRequestedWaitMs(error)))
      .finally(() => {
        isReading = false;
      });
  }

  events.onAlive();
  start(performance.now());
  return {
    kind: "poll",
    silenceMs: () => 2 * intervalMs + SILENCE_TIMEOUT_MS,
    everyMs: () => intervalMs,
    tick(now) {
      if (!isReading && !isClosed() && now >= dueAt) start(now);
    },
    acknowledge: () => undefined,
    renew: () => undefined,
    close,
  };
}

function cacheWards(): (target: WatchTarget) => Promise<readonly Ward[]> {
  let wards: readonly Ward[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  return async ({ hospital_id }) => {
    if (performance.now() - readAt > WARDS_STALE_MS) {
      wards = (await listActiveWards(hospital_id ?? null)).slice(0, MAX_WARDS);
      readAt = performance.now();
    }
    return wards;
  };
}

type Polled = PolledState & { requests: number };

async function listOpen(filters: { patient_id?: string }): Promise<AlertView[]> {
  const { items, complete } = await fetchAllPages((cursor) => listAlerts({ open: "true", ...filters }, cursor));
  // An alarm that is not read would look like none.
  if (!complete) throw new RangeError("too many open alarms for a poll");
  return items;
}

async function readPatient(patientId: string): Promise<Polled> {
  const [latest, alerts] = await Promise.all([readLatest(patientId), listOpen({ patient_id: patientId })]);
  return { patients: [{ ...latest, ward_id: null, alerts }], alerts, requests: 2 };
}

async function readHospital(wards: readonly Ward[], openedPatientId: string | null): Promise<Polled> {
  const [alerts, opened, ...boards] = await Promise.all([
    listOpen({}),
    openedPatientId === null ? null : readLatest(openedPatientId),
    ...wards.map(({ ward_id }) => readBoard(ward_id)),
  ]);
  const patients = boards.flatMap(({ ward_id, as_of, patients: entries }) =>
    entries.flatMap(({ is_known, news2, observations, ...entry }): PolledPatient[] =>
      is_known && news2 && observations ? [{ ...entry, news2, observations, ward_id, as_of, devices: null }] : [],
    ),
  );
  const others = patients.filter(({ patient_id }) => patient_id !== openedPatientId);
  const own = opened
    ? [{ ...opened, ward_id: null, alerts: alerts.filter(({ patient_id }) => patient_id === openedPatientId) }]
    : [];
  return { patients: [...others, ...own], alerts, requests: 1 + wards.length + own.length };
}
