// When the next set of a patient is due, as screens say it: counted down by the server's clock.
import type { ObservationsView } from "../../../../src/monitoring/patient-object/contract.ts";
import { formatAge, formatDateTime, formatShortTime } from "../../platform/design/format.ts";
import { t, translateCode } from "../../platform/messages/translate.ts";
import type { ViewContext } from "../live/patient-state.ts";

export type DueState =
  | { kind: "overdue" | "due" | "not_due"; at: string }
  | { kind: "never" }
  | { kind: "paused"; until: string; reason: string }
  /** Nothing is due: the patient is monitored continuously, or NEWS2 does not apply. */
  | { kind: "none"; why: string }
  | { kind: "unknown" };

/** Without a live connection somebody may have charted meanwhile: nothing is known. */
export function judgeDue(observations: ObservationsView | null | undefined, { now, connection }: ViewContext): DueState {
  if (!observations || connection !== "live") return { kind: "unknown" };
  const { status, pause, due_at, overdue_at } = observations;
  if (status === "not_applicable" || status === "continuous") return { kind: "none", why: status };
  if (pause && now < Date.parse(pause.expected_return_at))
    return { kind: "paused", until: pause.expected_return_at, reason: pause.reason };
  if (pause) return { kind: "due", at: pause.expected_return_at };
  if (status === "never") return { kind: "never" };
  if (due_at === null) return { kind: "unknown" };
  if (now < Date.parse(due_at)) return { kind: "not_due", at: due_at };
  return { kind: overdue_at !== null && now > Date.parse(overdue_at) ? "overdue" : "due", at: due_at };
}

const ORDER: readonly DueState["kind"][] = ["overdue", "never", "unknown", "due", "not_due", "paused", "none"];
const timeOf = (state: DueState) => ("at" in state ? state.at : state.kind === "paused" ? state.until : "");

/** The order of the work list, as the service has it: by urgency, then by time. */
export function compareDue(a: DueState, b: DueState): number {
  const [first, second] = [timeOf(a), timeOf(b)];
  return ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || Number(first > second) - Number(first < second);
}

const NEAR_MS = 12 * 3_600_000;

/** The time alone within half a day of now, otherwise with its date. */
const formatNear = (time: string, now: number, zone: string | undefined) =>
  Math.abs(Date.parse(time) - now) < NEAR_MS ? formatShortTime(time, zone) : formatDateTime(time, zone);

/** @param zone the hospital's time zone; undefined for the browser's */
export function describeDue(state: DueState, now: number, zone?: string): string {
  switch (state.kind) {
    case "overdue":
      return t("rounds.overdue", { age: formatAge((now - Date.parse(state.at)) / 1000) });
    case "due":
      return t("rounds.due_now");
    case "not_due":
      return t("rounds.due_at", { time: formatNear(state.at, now, zone) });
    case "never":
      return t("rounds.never");
    case "paused": {
      const reason = translateCode("rounds.pause_reason", state.reason);
      return t("rounds.paused", { time: formatNear(state.until, now, zone), reason });
    }
    case "none":
      return translateCode("rounds.none", state.why);
    case "unknown":
      return t("common.unknown");
  }
}

/** For the narrow column of the board. */
export function describeDueShortly(state: DueState, now: number, zone?: string): string {
  if (state.kind === "paused") return t("rounds.paused_short", { time: formatNear(state.until, now, zone) });
  return state.kind === "none" || state.kind === "unknown" ? "—" : describeDue(state, now, zone);
}
