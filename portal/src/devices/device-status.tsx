// Device status: last data, silence and clock offset; from the live view when available, else from the API.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useIsUnwatched, useLivePatient, useServerNow } from "../monitoring/live/use-live.ts";
import { formatAge, formatDuration } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { PriorityBadge } from "../platform/design/priority.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { type Device, type DeviceStatus, listDeviceAlarms, listSilenceAlarms, readDeviceStatuses } from "./api.ts";
import classes from "./devices.module.css";

const REFRESH_MS = 30_000;
/** Clock offset that counts as in sync, ms. */
const CLOCK_TOLERANCE_MS = 1_000;

type DeviceRef = Pick<Device, "device_id" | "patient_id">;

/** Status from the live view; undefined when the patient is not watched. Samples update it between snapshots. */
export function useLiveDeviceStatus({ device_id, patient_id }: DeviceRef): DeviceStatus | undefined {
  const live = useLivePatient(patient_id ?? "");
  const status = live?.devices.find((one) => one.device_id === device_id);
  if (!live || !status) return undefined;
  const receivedTimes = [...live.latest.values()]
    .filter((sample) => sample.device_id === device_id)
    .map((sample) => sample.received_at);
  const lastReceivedAt = [status.last_seen_at, ...receivedTimes]
    .filter((time) => time !== null)
    .toSorted()
    .at(-1);
  return { ...status, last_seen_at: lastReceivedAt ?? null };
}

/** Status of the patient's assigned devices, polled every 30 s. */
export function usePatientDeviceStatuses(patientId: string | null) {
  // The live view has the status of a moment ago; only later may clock and conditions have changed.
  const isUnwatched = useIsUnwatched(patientId ?? "");
  const [isOld, setIsOld] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsOld(true), REFRESH_MS);
    return () => clearTimeout(timer);
  }, []);
  return useQuery({
    queryKey: ["devices", "heard", patientId],
    queryFn: () => readDeviceStatuses(patientId ?? ""),
    enabled: patientId !== null && (isUnwatched || isOld),
    refetchInterval: REFRESH_MS,
  });
}

/** The later of the API's and the live view's time. */
export function useDeviceStatus(device: DeviceRef): DeviceStatus | undefined {
  const live = useLiveDeviceStatus(device);
  const { data } = usePatientDeviceStatuses(device.patient_id);
  const reported = data?.find(({ device_id }) => device_id === device.device_id);
  if (!live || !reported) return live ?? reported;
  return {
    ...reported,
    last_seen_at: (live.last_seen_at ?? "") > (reported.last_seen_at ?? "") ? live.last_seen_at : reported.last_seen_at,
  };
}

/** Open alarms of one device. */
export const useDeviceAlarms = (deviceId: string) =>
  useQuery({
    queryKey: ["devices", "alarms", deviceId],
    queryFn: () => listDeviceAlarms(deviceId),
    refetchInterval: REFRESH_MS,
  });

/** Ids of device-silence alarms by device. */
export function useSilenceAlarms(scope: Parameters<typeof listSilenceAlarms>[0]): ReadonlyMap<string, string> {
  const { data } = useQuery({
    queryKey: ["devices", "silent", scope],
    queryFn: () => listSilenceAlarms(scope),
    refetchInterval: REFRESH_MS,
  });
  return new Map(data?.data.flatMap(({ device_id, alert_id }) => (device_id === null ? [] : [[device_id, alert_id]])));
}

export function SilentBadge({ alertId }: { alertId: string | undefined }) {
  const t = useTranslation();
  if (!alertId) return null;
  return (
    <Link to="/alarms/$alertId" params={{ alertId }} className={classes.silent}>
      <PriorityBadge priority="technical" /> {t("devices.silent")}
    </Link>
  );
}

export function LastSeen({ status }: { status: DeviceStatus | undefined }) {
  const t = useTranslation();
  const now = useServerNow();
  if (!status) return <span className={layout.muted}>{t("devices.not_known")}</span>;
  if (status.last_seen_at === null) return <span className={layout.muted}>{t("devices.not_heard")}</span>;
  return t("common.ago", { age: formatAge((now - Date.parse(status.last_seen_at)) / 1000) });
}

export function ClockSkew({ status }: { status: DeviceStatus | undefined }) {
  const t = useTranslation();
  if (!status || status.clock_skew_ms === null) return <span className={layout.muted}>{t("common.unknown")}</span>;
  const ms = status.clock_skew_ms;
  if (Math.abs(ms) < CLOCK_TOLERANCE_MS) return t("devices.clock_right");
  return t(ms > 0 ? "devices.clock_ahead" : "devices.clock_behind", { time: formatDuration(Math.abs(ms) / 1000) });
}

/** A counter that began again: the device was restarted or replaced, or another one sends under its name. */
export function CounterRestart({ status }: { status: DeviceStatus | undefined }) {
  const t = useTranslation();
  const now = useServerNow();
  if (!status?.sequence_restarted_at) return null;
  const age = formatAge((now - Date.parse(status.sequence_restarted_at)) / 1000);
  return <div className={layout.muted}>{t("devices.counter_restarted", { age })}</div>;
}

export function Conditions({ status }: { status: DeviceStatus | undefined }) {
  const t = useTranslation();
  // A device without any data has not reported a good condition either.
  if (!status || status.last_seen_at === null) return <span className={layout.muted}>{t("common.unknown")}</span>;
  if (status.conditions.length === 0) return t("devices.no_conditions");
  return <strong>{status.conditions.map((condition) => translateCode("devices.condition", condition)).join(", ")}</strong>;
}
