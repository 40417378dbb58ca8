// How long an emergency access still runs, by the server's clock.
import { useServerNow } from "../monitoring/live/use-live.ts";
import { t } from "../platform/messages/translate.ts";
import type { EmergencyAccess } from "./api.ts";

/** Seconds; 0 when it is over. */
export function useRemainingSeconds({ status, ends_at }: EmergencyAccess): number {
  const now = useServerNow();
  return status === "ended" ? 0 : Math.max(0, (Date.parse(ends_at) - now) / 1_000);
}

/** "42 min", and seconds in the last minute. */
export const formatRemaining = (seconds: number): string =>
  seconds < 60 ? t("common.seconds_ago", { n: Math.ceil(seconds) }) : t("common.minutes_ago", { n: Math.floor(seconds / 60) });
