// Who needs a look first: alarms before scores, and not knowing before being well. Decided from what is live now.
import { type Priority, shownAs } from "../design/priority.tsx";
import type { Link } from "../live/link.ts";
import type { LivePatient } from "../live/store.ts";

/** Without a sample for this long a device's vital is silent: the API's own limit where nobody set another. */
const SILENT_S = 120;
/** What is measured now and then, or by a person, counts for so long in the score, unless a hospital says otherwise. */
const ONCE_S = 1_800;
const CONTINUOUS = ["heart_rate", "respiratory_rate", "spo2"];
const SCORED = [...CONTINUOUS, "systolic", "temperature"];

/** `unknown`: the line is lost, or something that the score is made of is old or missing. */
export type ShownScore = { status: "known"; score: number; single3: boolean } | { status: "unknown" | "not_applicable" };

/** @param now the server's time, epoch milliseconds */
export function scoreOf(live: LivePatient | undefined, link: Link["status"], now: number): ShownScore {
  const score = live?.news2;
  if (score?.status === "not_applicable") return { status: "not_applicable" };
  if (!live || score?.status !== "complete" || link !== "live") return { status: "unknown" };
  const old = [...live.latest.values()].some(({ name, device_id, received_at, status }) => {
    if (name === null || !SCORED.includes(name) || status === "invalid") return false;
    const counts = device_id && CONTINUOUS.includes(name) ? SILENT_S : ONCE_S;
    return now - Date.parse(received_at) > counts * 1000;
  });
  if (old) return { status: "unknown" };
  return { status: "known", score: score.score, single3: Object.values(score.parts).includes(3) };
}

const WORST: readonly Priority[] = ["high", "medium", "technical", "low"];

/** The alarm to show of several: those nobody has acknowledged first, the worst of them first. */
export function foremostAlarm(live: LivePatient | undefined) {
  const alarms = [...(live?.alerts.values() ?? [])].map((alert) => ({
    alert,
    priority: shownAs(alert),
    isNew: alert.acknowledged_at === null,
  }));
  const rank = ({ isNew, priority }: (typeof alarms)[number]) => (isNew ? 0 : WORST.length) + WORST.indexOf(priority);
  return alarms.sort((a, b) => rank(a) - rank(b))[0];
}

/** Smaller comes first: new high, new medium, other alarms, high scores, medium ones, unknown, the rest, not watched. */
export function riskOf(live: LivePatient | undefined, link: Link["status"], now: number): number {
  const alarm = foremostAlarm(live);
  if (alarm?.isNew && alarm.priority === "high") return 0;
  if (alarm?.isNew && alarm.priority === "medium") return 1;
  if (alarm) return 2;
  const score = scoreOf(live, link, now);
  if (score.status !== "known") return live ? 5 : 7;
  if (score.score >= 7) return 3;
  return score.score >= 5 || score.single3 ? 4 : 6;
}
