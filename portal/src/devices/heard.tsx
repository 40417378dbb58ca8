// When a device was heard, whether it is silent, how its clock goes: from the live view where there is one, else as the API says.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import layout from "../design/layout.module.css";
import { PriorityBadge } from "../design/priority.tsx";
import { age, span } from "../design/time.ts";
import { useLivePatient, useServerNow } from "../live/use-live.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { type Device, type Heard, listSilent, readHeard } from "./api.ts";
import classes from "./devices.module.css";

const AGAIN_MS = 30_000;
/** Nobody's clock is compared more closely than this. */
const RIGHT_MS = 1_000;

type Bound = Pick<Device, "device_id" | "patient_id">;

/** As the live view has it; undefined where nobody watches the patient. Samples tell it between two snapshots. */
export function useLiveHeard({ device_id, patient_id }: Bound): Heard | undefined {
  const live = useLivePatient(patient_id ?? "");
  const heard = live?.devices.find((one) => one.device_id === device_id);
  if (!live || !heard) return undefined;
  const times = [...live.latest.values()].filter((sample) => sample.device_id === device_id).map((sample) => sample.received_at);
  const last = [heard.last_seen_at, ...times]
    .filter((time) => time !== null)
    .toSorted()
    .at(-1);
  return { ...heard, last_seen_at: last ?? null };
}

/** Of the devices that are bound to a patient now, asked again every half minute. */
export const useHeard = (patientId: string | null) =>
  useQuery({
    queryKey: ["devices", "heard", patientId],
    queryFn: () => readHeard(patientId ?? ""),
    enabled: patientId !== null,
    refetchInterval: AGAIN_MS,
  });

/** The later of what the API and the live view say. */
export function useHeardOf(device: Bound): Heard | undefined {
  const live = useLiveHeard(device);
  const { data } = useHeard(device.patient_id);
  const told = data?.find(({ device_id }) => device_id === device.device_id);
  if (!live || !told) return live ?? told;
  return { ...told, last_seen_at: (live.last_seen_at ?? "") > (told.last_seen_at ?? "") ? live.last_seen_at : told.last_seen_at };
}

/** Ids of alarms by the device that says nothing. */
export function useSilent(about: Parameters<typeof listSilent>[0]): ReadonlyMap<string, string> {
  const { data } = useQuery({
    queryKey: ["devices", "silent", about],
    queryFn: () => listSilent(about),
    refetchInterval: AGAIN_MS,
  });
  return new Map(data?.data.flatMap(({ device_id, alert_id }) => (device_id === null ? [] : [[device_id, alert_id]])));
}

export function Silent({ alertId }: { alertId: string | undefined }) {
  const say = useSay();
  if (!alertId) return null;
  return (
    <Link to="/alarms/$alertId" params={{ alertId }} className={classes.silent}>
      <PriorityBadge priority="technical" /> {say("devices.silent")}
    </Link>
  );
}

export function LastHeard({ heard }: { heard: Heard | undefined }) {
  const say = useSay();
  const now = useServerNow();
  if (!heard) return <span className={layout.muted}>{say("devices.not_known")}</span>;
  if (heard.last_seen_at === null) return <span className={layout.muted}>{say("devices.not_heard")}</span>;
  return say("common.ago", { age: age((now - Date.parse(heard.last_seen_at)) / 1000) });
}

export function Clock({ heard }: { heard: Heard | undefined }) {
  const say = useSay();
  if (!heard || heard.clock_skew_ms === null) return <span className={layout.muted}>{say("common.unknown")}</span>;
  const ms = heard.clock_skew_ms;
  if (Math.abs(ms) < RIGHT_MS) return say("devices.clock_right");
  return say(ms > 0 ? "devices.clock_ahead" : "devices.clock_behind", { time: span(Math.abs(ms) / 1000) });
}

export function Conditions({ heard }: { heard: Heard | undefined }) {
  const say = useSay();
  // A device that was never heard has said nothing good of itself either.
  if (!heard || heard.last_seen_at === null) return <span className={layout.muted}>{say("common.unknown")}</span>;
  if (heard.conditions.length === 0) return say("devices.no_conditions");
  return <strong>{heard.conditions.map((condition) => sayOf("devices.condition", condition)).join(", ")}</strong>;
}
