// What is said while reads wait: since when nothing was read, why, and when it will be tried again.
import { useSyncExternalStore } from "react";
import { type BackOff, getBackOff, subscribeBackOff } from "../api/back-off.ts";
import { useTranslation } from "../messages/translate.ts";
import { formatTime } from "./format.ts";
import classes from "./states.module.css";

export const useBackOff = (): BackOff | null => useSyncExternalStore(subscribeBackOff, getBackOff);

/** @param now server time, epoch milliseconds: the browser's clock may be wrong */
const toTime = (at: number, now: number): string => formatTime(now + at - performance.now());

/** Marks what is on the screen as old. */
export function OldDataBanner({ now }: { now: number }) {
  const t = useTranslation();
  const backOff = useBackOff();
  if (backOff === null) return null;
  const times = { since: toTime(backOff.since, now), next: toTime(backOff.until, now) };
  return (
    <p className={classes.old} role="status">
      {t(backOff.code === "rate_limited" ? "common.old_busy" : "common.old_unreachable", times)}
    </p>
  );
}
