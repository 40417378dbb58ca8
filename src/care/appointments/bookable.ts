// Whether a time can be booked by somebody, by the rules of the hospital and the open times of the practitioner. Pure.
import { DAY_MS } from "../../platform/time.ts";
import { blockedRange, findOpenTime, type Plan } from "../availability/open-times.ts";
import type { BookingPlan } from "./plan.ts";

const MINUTE_MS = 60_000;
/** Staff may record an appointment that has just begun. */
const MAX_PAST_MS = DAY_MS;
const MAX_AHEAD_MS = 2 * 366 * DAY_MS;

/** Epoch milliseconds. `isOwn`: by the person or a guardian, whom the hospital's rules bind. */
export type Wanted = { start: number; end: number; locationId: string | null; isOwn: boolean; isOverbooked: boolean };

export type Bookable = { blockedFrom: number; blockedUntil: number; locationId: string | null };
/** Why a time cannot be booked, for the caller. */
export type Refusal = { refused: string };

/** What of the plan counts for the caller and the place. Nobody has to keep schedules: without any, staff book at all times. */
function planFor({ schedules, exceptions }: Plan, { isOwn, locationId }: Wanted): Plan {
  const isForCaller = (schedule: Plan["schedules"][number]) => !isOwn || schedule.bookableBy === "patients";
  const isAtPlace = (place: string | null) => locationId === null || place === null || place === locationId;
  return {
    schedules: schedules.filter((schedule) => isForCaller(schedule) && isAtPlace(schedule.locationId)),
    exceptions: exceptions.filter(({ locationId: place }) => isAtPlace(place)),
  };
}

function findTimeFault({ rules }: BookingPlan, { start, isOwn }: Wanted, now: number): string | null {
  if (start > now + MAX_AHEAD_MS) return "The time is too far ahead.";
  if (!isOwn) return start < now - MAX_PAST_MS ? "The time has passed." : null;
  if (start < now + rules.leadMinutes * MINUTE_MS) return `Book at least ${rules.leadMinutes} minutes ahead.`;
  return start > now + rules.windowDays * DAY_MS ? `Book at most ${rules.windowDays} days ahead.` : null;
}

export function findBookable(booking: BookingPlan, wanted: Wanted, now: number): Bookable | Refusal {
  const fault = findTimeFault(booking, wanted, now);
  if (fault !== null) return { refused: fault };
  const { start, end, isOwn, isOverbooked, locationId } = wanted;
  const plan = planFor(booking.plan, wanted);
  const open = findOpenTime(plan, booking.zone, start, end);
  const isWithoutPlan = booking.plan.schedules.length === 0 && !isOwn;
  const isAway = booking.plan.exceptions.some(({ kind, fromAt, untilAt }) => kind !== "extra" && fromAt < end && start < untilAt);
  if (open === null && !isOverbooked && (!isWithoutPlan || isAway))
    return { refused: "The practitioner is not available at that time." };
  const schedule = plan.schedules.find(({ id }) => id === open?.scheduleId) ?? null;
  const { from, until } = blockedRange(schedule, start, end);
  return { blockedFrom: from, blockedUntil: until, locationId: locationId ?? schedule?.locationId ?? null };
}
