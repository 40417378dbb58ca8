// Latest value of each vital sign and the devices: the first response, updated from the live view.
import { useQuery } from "@tanstack/react-query";
import { useConnection, useLivePatient } from "../../monitoring/live/use-live.ts";
import { type Latest, readLatest } from "../../monitoring/vitals/api.ts";

/** A value is current while it is younger than a monitor's silence limit and the connection is up. */
const MAX_CURRENT_AGE_S = 120;
const REFRESH_MS = 60_000;

export type LatestValue = { value: number; at: number };
type Sample = Pick<Latest["latest"][number], "name" | "value" | "status" | "effective_at" | "received_at" | "device_id">;

/** Time of measurement; a fast device clock cannot make a value younger than its receipt. */
const measuredAt = ({ effective_at, received_at }: Sample) => Math.min(Date.parse(effective_at), Date.parse(received_at));

export function useLatestVitals(patientId: string) {
  const live = useLivePatient(patientId);
  const query = useQuery({
    queryKey: ["me", "latest", patientId],
    queryFn: () => readLatest(patientId),
    refetchInterval: REFRESH_MS,
  });
  const samples: Sample[] = [...(query.data?.latest ?? []), ...(live?.latest.values() ?? [])];
  const usable = samples.filter(({ status }) => status === "final" || status === "amended");

  const getLatest = (name: string): LatestValue | null =>
    usable
      .filter((sample) => sample.name === name)
      .map((sample) => ({ value: sample.value, at: measuredAt(sample) }))
      .reduce<LatestValue | null>((latest, one) => (latest && latest.at >= one.at ? latest : one), null);

  const devices = (live?.devices.length ? live.devices : (query.data?.devices ?? [])).map(({ device_id, last_seen_at }) => {
    const deviceSamples = samples.filter((sample) => sample.device_id === device_id);
    const times = [last_seen_at, ...deviceSamples.map(({ received_at }) => received_at)].flatMap((time) =>
      time ? [Date.parse(time)] : [],
    );
    return {
      id: device_id,
      measures: [...new Set(deviceSamples.flatMap(({ name }) => (name ? [name] : [])))],
      lastSeenAt: times.length > 0 ? Math.max(...times) : null,
    };
  });
  return { query, newestOf: getLatest, devices };
}

/** Whether a value measured then counts as current. @param now the server's time, epoch milliseconds */
export function useIsCurrent(): (at: number, now: number) => boolean {
  const { status } = useConnection();
  return (at, now) => status === "live" && now - at <= MAX_CURRENT_AGE_S * 1000;
}

/** A device with data within this time counts as connected. */
const MAX_CONNECTED_SILENCE_S = 300;
export const isConnected = (lastSeenAt: number | null, now: number): boolean =>
  lastSeenAt !== null && now - lastSeenAt <= MAX_CONNECTED_SILENCE_S * 1000;
