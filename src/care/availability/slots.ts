// Free times of up to a hundred practitioners over up to 31 days, in one round trip: what is taken comes as one row per practitioner.
import { type SQL, sql } from "drizzle-orm";
import { withPrincipal } from "../../access/access.ts";
import type { Call, EffectiveRole } from "../../access/actor.ts";
import { appendAuditEvent } from "../../access/audit.ts";
import { ACTIVE_MEMBERSHIP, isVisibleHospital } from "../../access/effective-role.ts";
import { resolvePageStart, slicePage } from "../../http/pagination.ts";
import { ApiError } from "../../platform/errors.ts";
import { DAY_MS, toIso } from "../../platform/time.ts";
import { CARE_DEFAULTS } from "./care-settings.ts";
import { blockedRange, openTimes, type Plan, type Schedule, type ScheduleException } from "./open-times.ts";
import { type ScheduleRow, toSchedule } from "./schedule-rows.ts";

const MINUTE_MS = 60_000;
export const MAX_SPAN_MS = 31 * DAY_MS;
export const MAX_PRACTITIONERS = 100;
/** Free times that one answer is made of; a longer list is cut by a shorter span. */
const MAX_SLOTS = 20_000;

export type SlotQuery = {
  from: string;
  to: string;
  practitioner_id?: string | undefined;
  specialty?: string | undefined;
  location_id?: string | undefined;
  duration_minutes?: number | undefined;
  limit: number;
  cursor?: string | undefined;
};

type PractitionerRow = { id: string; hospitalId: string; zone: string; busy: string | null };
type RulesRow = { hospitalId: string; lead: number; window: number; selfBooking: string };
type Range = { from: number; until: number };
export type Slot = { practitioner_id: string; location_id: string | null; start: string; end: string; hospital_id: string };

/** Taken times as `from-until` in minutes since `base`, joined by commas. */
function parseBusy(text: string | null, base: number): Range[] {
  if (text === null) return [];
  return text
    .split(",")
    .map((pair) => pair.split("~").map((minutes) => base + Number(minutes) * MINUTE_MS))
    .map(([from = 0, until = 0]) => ({ from, until }))
    .sort((a, b) => a.from - b.from);
}

/** Whether a range meets one of the sorted ranges. Overbooked ranges may contain others, so that ends are not sorted. */
function createBusyCheck(busy: readonly Range[]): (from: number, until: number) => boolean {
  let latest = 0;
  const latestEnds = busy.map(({ until }) => {
    latest = Math.max(latest, until);
    return latest;
  });
  return (from, until) => {
    let [low, high] = [0, busy.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((busy[middle]?.from ?? 0) < until) low = middle + 1;
      else high = middle;
    }
    return low > 0 && (latestEnds[low - 1] ?? 0) > from;
  };
}

type Wanted = { from: number; until: number; durationMs: number | null; isOwn: boolean; locationId: string | null };

/** Steps of the schedule's length in elapsed time: a repeated hour has its slots twice, a missing hour has none. */
export function freeTimes(
  plan: Plan,
  zone: string,
  busy: readonly Range[],
  wanted: Wanted,
): { start: number; end: number; locationId: string | null }[] {
  const isBusy = createBusyCheck(busy);
  const byId = new Map(plan.schedules.map((schedule) => [schedule.id, schedule]));
  const slots: { start: number; end: number; locationId: string | null }[] = [];
  for (const open of openTimes(plan, zone, wanted.from - DAY_MS, wanted.until + DAY_MS)) {
    const schedule = open.scheduleId === null ? null : (byId.get(open.scheduleId) ?? null);
    const step = (schedule?.slotMinutes ?? 30) * MINUTE_MS;
    const length = wanted.durationMs ?? step;
    const first = Math.max(open.start, wanted.from);
    const steps = Math.max(0, Math.ceil((first - open.windowStart) / step));
    for (let start = open.windowStart + steps * step; start + length <= open.end && start < wanted.until; start += step) {
      const blocked = blockedRange(schedule, start, start + length);
      if (!isBusy(blocked.from, blocked.until))
        slots.push({ start, end: start + length, locationId: schedule?.locationId ?? null });
    }
  }
  return slots;
}

function practitionerFilter(query: SlotQuery): SQL {
  const conditions = [
    ...(query.practitioner_id ? [sql`n.id = ${query.practitioner_id}`] : []),
    ...(query.specialty ? [sql`n.specialty = ${query.specialty}`] : []),
    ...(query.location_id
      ? [
          sql`EXISTS (SELECT 1 FROM schedules s WHERE s.practitioner_id = n.id AND s.active = 1 AND s.location_id = ${query.location_id})`,
        ]
      : []),
  ];
  return conditions.length === 0 ? sql`1` : sql.join(conditions, sql` AND `);
}

const isPerson = ({ role }: EffectiveRole): boolean => role === "patient";

/**
 * Free times by start, then practitioner. Patients get what they may book themselves.
 * @throws ApiError invalid_request (a span over 31 days, more than 100 practitioners), forbidden
 */
export async function listSlots(anyCall: Call, query: SlotQuery) {
  const [from, until] = [Date.parse(query.from), Date.parse(query.to)];
  if (until <= from || until - from > MAX_SPAN_MS) {
    const errors = [{ path: "to", message: "Must be after from, by at most 31 days", code: "custom" }];
    throw new ApiError("invalid_request", undefined, { errors });
  }
  const start = await resolvePageStart(anyCall, "slots", { ...query, offset: 0 });
  const { call, effectiveRole, results } = await withPrincipal(
    anyCall,
    "appointment:read",
    (effectiveRole, { db, actor, now }) => {
      const isVisible =
        effectiveRole.role === "app"
          ? sql`n.hospital_id = ${effectiveRole.hospitalId}`
          : isVisibleHospital(effectiveRole, actor, sql`n.hospital_id`);
      const chosen = sql`SELECT n.id FROM practitioners n JOIN users u ON u.id = n.user_id AND u.active = 1
      JOIN memberships m ON m.user_id = n.user_id AND m.hospital_id = n.hospital_id AND ${ACTIVE_MEMBERSHIP}
      WHERE n.active = 1 AND m.role IN ('doctor', 'nurse') AND ${isVisible} AND ${practitionerFilter(query)}
      ORDER BY n.id LIMIT ${MAX_PRACTITIONERS + 1}`;
      const busy = sql`(SELECT group_concat(((a.blocked_from - ${from}) / 60000) || '~' || ((a.blocked_until - ${from}) / 60000), ',')
      FROM appointments a INDEXED BY appointments_busy WHERE a.practitioner_id = n.id AND a.holds = 1
        AND a.blocked_from > ${from - 2 * DAY_MS} AND a.blocked_from < ${until + DAY_MS} AND (a.status <> 'proposed' OR a.expires_at > ${now}))`;
      return [
        db.all<PractitionerRow>(sql`SELECT n.id AS id, n.hospital_id AS hospitalId, h.time_zone AS zone, ${busy} AS busy
        FROM practitioners n JOIN hospitals h ON h.id = n.hospital_id AND h.active = 1 WHERE n.id IN (${chosen})`),
        db.all<ScheduleRow>(sql`SELECT id, practitioner_id AS practitionerId, location_id AS locationId, weekly, valid_from AS validFrom,
          valid_until AS validUntil, slot_minutes AS slotMinutes, buffer_before AS bufferBefore, buffer_after AS bufferAfter,
          bookable_by AS bookableBy FROM schedules WHERE active = 1 AND practitioner_id IN (${chosen})`),
        db.all<ScheduleException & { hospitalId: string }>(sql`SELECT e.id AS id, e.practitioner_id AS practitionerId,
          e.hospital_id AS hospitalId, e.location_id AS locationId, e.kind AS kind, e.from_at AS fromAt, e.until_at AS untilAt
        FROM schedule_exceptions e WHERE e.until_at > ${from - DAY_MS} AND e.from_at < ${until + DAY_MS} AND (e.practitioner_id IN (${chosen})
          OR (e.practitioner_id IS NULL AND e.hospital_id IN (SELECT p.hospital_id FROM practitioners p WHERE p.id IN (${chosen}))))`),
        db.all<RulesRow>(sql`SELECT hospital_id AS hospitalId, lead_minutes AS lead, window_days AS window, self_booking AS selfBooking
        FROM care_settings WHERE hospital_id IN (SELECT p.hospital_id FROM practitioners p WHERE p.id IN (${chosen}))`),
      ];
    },
  );
  const [practitioners, schedules, exceptions, rules] = results;
  if (practitioners.length > MAX_PRACTITIONERS)
    throw new ApiError(
      "invalid_request",
      `Narrow by specialty, location or practitioner: at most ${MAX_PRACTITIONERS} at a time.`,
    );
  const isOwn = isPerson(effectiveRole);
  const slots = practitioners.flatMap((practitioner) => {
    const { lead, window, selfBooking } = rules.find(({ hospitalId }) => hospitalId === practitioner.hospitalId) ?? {
      ...{ lead: CARE_DEFAULTS.lead_minutes, window: CARE_DEFAULTS.window_days },
      selfBooking: CARE_DEFAULTS.self_booking,
    };
    if (isOwn && selfBooking === "off") return [];
    const earliest = isOwn ? call.now + lead * MINUTE_MS : call.now;
    const latest = isOwn ? Math.min(until, call.now + window * DAY_MS + 1) : until;
    const wanted = {
      ...{ from: Math.max(from, earliest), until: latest, isOwn, locationId: query.location_id ?? null },
      durationMs: query.duration_minutes === undefined ? null : query.duration_minutes * MINUTE_MS,
    };
    const busy = parseBusy(practitioner.busy, from);
    return freeTimes(planOf(practitioner, schedules, exceptions, wanted), practitioner.zone, busy, wanted).map((slot) => ({
      ...slot,
      practitionerId: practitioner.id,
      hospitalId: practitioner.hospitalId,
    }));
  });
  if (slots.length > MAX_SLOTS)
    throw new ApiError("invalid_request", "Narrow the span, the specialty or the location: too many free times.");
  slots.sort((a, b) => a.start - b.start || (a.practitionerId < b.practitionerId ? -1 : 1));
  const { rows, pagination } = await slicePage(start, slots);
  const { role, hospitalId } = effectiveRole;
  await appendAuditEvent(call, { event: "appointment.slots", action: "R", role, hospitalId, detail: { count: rows.length } });
  const items = rows.map(
    ({ practitionerId, locationId, hospitalId: place, start: at, end }): Slot => ({
      ...{ practitioner_id: practitionerId, hospital_id: place, location_id: locationId },
      ...{ start: toIso(at), end: toIso(end) },
    }),
  );
  return { items, pagination };
}

/** What of a practitioner's plan counts for the caller and the place. */
function planOf(
  { id, hospitalId }: PractitionerRow,
  schedules: readonly ScheduleRow[],
  exceptions: readonly (ScheduleException & { hospitalId: string })[],
  { isOwn, locationId }: Wanted,
): Plan {
  const isAt = (place: string | null) => locationId === null || place === null || place === locationId;
  const isUsable = (schedule: Schedule) => (!isOwn || schedule.bookableBy === "patients") && isAt(schedule.locationId);
  return {
    schedules: schedules
      .filter((row) => row.practitionerId === id)
      .map(toSchedule)
      .filter(isUsable),
    exceptions: exceptions.filter(
      (exception) =>
        (exception.practitionerId === id || (exception.practitionerId === null && exception.hospitalId === hospitalId)) &&
        isAt(exception.locationId),
    ),
  };
}
