// States of an appointment (FHIR R4 Appointment.status), the steps between them, and the words of older clients.
import type { AppointmentStatus } from "../../platform/db/vocabulary.ts";

export const STEPS = {
  confirm: { from: ["proposed"], to: "booked" },
  /** A patient who came late is checked in after a no-show. */
  check_in: { from: ["booked", "noshow"], to: "arrived" },
  fulfil: { from: ["arrived"], to: "fulfilled" },
  cancel: { from: ["proposed", "booked", "arrived"], to: "cancelled" },
  no_show: { from: ["booked"], to: "noshow" },
  enter_in_error: { from: ["proposed", "booked", "arrived", "fulfilled", "noshow"], to: "entered-in-error" },
} as const satisfies Record<string, { from: readonly AppointmentStatus[]; to: AppointmentStatus }>;
export type AppointmentStep = keyof typeof STEPS;

/** Null where the step is not possible. */
export const statusAfter = (status: AppointmentStatus, step: AppointmentStep): AppointmentStatus | null =>
  (STEPS[step].from as readonly AppointmentStatus[]).includes(status) ? STEPS[step].to : null;

/** The step that leads to a status, if one of the caller's does. */
export const stepTo = (status: AppointmentStatus): AppointmentStep | null =>
  (Object.keys(STEPS) as AppointmentStep[]).find((step) => STEPS[step].to === status) ?? null;

const HOLDING: readonly AppointmentStatus[] = ["proposed", "booked", "arrived", "fulfilled"];

/** Whether the status reserves the time. */
export const holdsTime = (status: AppointmentStatus): boolean => HOLDING.includes(status);

/** `status` as older clients name it. */
export const LEGACY_STATUS = {
  proposed: "pending",
  booked: "scheduled",
  arrived: "checked_in",
  fulfilled: "completed",
  cancelled: "cancelled",
  noshow: "no_show",
  "entered-in-error": "entered_in_error",
} as const satisfies Record<AppointmentStatus, string>;

const STATUS_BY_WORD: ReadonlyMap<string, AppointmentStatus> = new Map([
  ...(Object.entries(LEGACY_STATUS) as [AppointmentStatus, string][]).flatMap(
    ([status, legacy]): [string, AppointmentStatus][] => [
      [status, status],
      [legacy, status],
    ],
  ),
  ["confirmed", "booked"],
]);
/** Every word that requests may use for a status. */
export const STATUS_WORDS = [...STATUS_BY_WORD.keys()] as [string, ...string[]];

/** @throws TypeError for none of `STATUS_WORDS` */
export function parseStatus(word: string): AppointmentStatus {
  const status = STATUS_BY_WORD.get(word);
  if (!status) throw new TypeError("unknown status");
  return status;
}

/** A proposal ends at its time, before cron has written it. */
export const statusAt = (
  { status, expiresAt }: { status: AppointmentStatus; expiresAt: number | null },
  now: number,
): AppointmentStatus => (status === "proposed" && expiresAt !== null && expiresAt <= now ? "cancelled" : status);

const HOUR_MS = 3_600_000;
/** Reminders are sent this long before the start. */
export const REMIND_BEFORE_MS = [24 * HOUR_MS, 2 * HOUR_MS] as const;

/** The next reminder after `now` of an appointment; null if none is ahead. */
export const nextReminder = (startsAt: number, now: number): number | null =>
  REMIND_BEFORE_MS.map((before) => startsAt - before).find((at) => at > now) ?? null;
