// What the clock does to appointments: requests end, reminders are sent once, and who did not come is recorded.
import { type SQL, sql } from "drizzle-orm";
import type { SystemActor } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import type { AuditEventName } from "../../access/event-names.ts";
import { failsUnless } from "../../access/sign-in.ts";
import { handOverEvents } from "../../notifications/delivery/hand-over.ts";
import { batch, type Db, getDb, isRoleChanged, type Statement } from "../../platform/db/client.ts";
import { describeCause, stackFrames } from "../../platform/errors.ts";
import { derivedUuidv7 } from "../../platform/ids.ts";
import { log } from "../../platform/log.ts";
import { tellOfAppointment } from "../appointments/notices.ts";
import { nextReminder, REMIND_BEFORE_MS } from "../appointments/transitions.ts";

/** Appointments per run and kind; the next minute continues. */
export const MAX_PER_RUN = 100;
/** A reminder that is later than this is left out: the next one is nearer. */
export const MAX_REMINDER_DELAY_MS = 30 * 60_000;
/** Where a hospital records none, `booked` appointments stay: without an end, each run would read all of the past. At most a day is set. */
const NOSHOW_LOOK_BACK_MS = 3 * 24 * 60 * 60_000;

type Due = {
  id: string;
  hospitalId: string;
  patientId: string;
  practitionerId: string;
  startsAt: number;
  version: number;
  dueAt: number;
};
const DUE_COLUMNS = sql`a.id AS id, a.hospital_id AS hospitalId, a.patient_id AS patientId, a.practitioner_id AS practitionerId,
  a.starts_at AS startsAt, a.version AS version`;
type Run = { env: Env; db: Db; now: number };
type Job = {
  name: string;
  event?: AuditEventName;
  select: SQL;
  set: (row: Due) => SQL;
  tell: (row: Due, actor: SystemActor) => Statement[];
};

const jobActor = (id: string): SystemActor => ({
  kind: "system",
  name: "appointments",
  via: { requestId: `appointments-${id}`, ip: null },
});

/** Of two runs at once the second changes nothing: its batch fails on the version. */
async function applyTo({ env, db, now }: Run, job: Job, row: Due): Promise<void> {
  const actor = jobActor(row.id);
  const { event } = job;
  await batch(db, [
    failsUnless(db, sql`EXISTS (SELECT 1 FROM appointments WHERE id = ${row.id} AND version = ${row.version})`),
    db.run(
      sql`UPDATE appointments SET ${job.set(row)}, updated_at = CAST(${now} AS INTEGER), version = version + 1 WHERE id = ${row.id}`,
    ),
    ...(event === undefined
      ? []
      : recordAuditEvent(db, actor, now, {
          ...{ event, action: "U", hospitalId: row.hospitalId, subjects: [row.patientId] },
          entity: { type: "appointment", id: row.id },
        })),
    ...job.tell(row, actor),
  ]);
  await handOverEvents(env, actor);
}

/** A request that nobody confirmed; its time is free from its end on, before this has run. */
const expire = ({ db, now }: Run): Job => ({
  name: "expire",
  event: "appointment.expire",
  select: sql`SELECT ${DUE_COLUMNS}, a.expires_at AS dueAt FROM appointments a WHERE a.status = 'proposed' AND a.expires_at <= ${now}
    LIMIT ${MAX_PER_RUN}`,
  set: () => sql`status = 'cancelled', holds = 0, next_reminder_at = NULL, cancelled_by = 'clock'`,
  tell: (row, actor) => tellOfAppointment({ db, actor, now }, "appointment.cancelled", row),
});

/** In hospitals that say after how long; those without rules after half an hour. */
const recordNoShows = ({ now }: Run): Job => ({
  name: "no-show",
  event: "appointment.noshow",
  select: sql`SELECT ${DUE_COLUMNS}, a.ends_at AS dueAt FROM appointments a LEFT JOIN care_settings c ON c.hospital_id = a.hospital_id
    WHERE a.status = 'booked' AND a.ends_at < ${now} AND a.ends_at > ${now - NOSHOW_LOOK_BACK_MS} AND a.ends_at + 60000 *
      CASE WHEN c.hospital_id IS NULL THEN 30 ELSE c.noshow_after_minutes END < ${now} LIMIT ${MAX_PER_RUN}`,
  set: () => sql`status = 'noshow', holds = 0, next_reminder_at = NULL`,
  tell: () => [],
});

/** The reminder has an id of appointment, start and time before it, so that a repeated run sends none twice. */
const remind = ({ db, now }: Run): Job => ({
  name: "remind",
  select: sql`SELECT ${DUE_COLUMNS}, a.next_reminder_at AS dueAt FROM appointments a WHERE a.next_reminder_at IS NOT NULL
    AND a.next_reminder_at <= ${now} AND a.status = 'booked' LIMIT ${MAX_PER_RUN}`,
  set: (row) => sql`next_reminder_at = CAST(${nextReminder(row.startsAt, Math.max(now, row.dueAt))} AS INTEGER)`,
  tell: (row, actor) => {
    if (now - row.dueAt > MAX_REMINDER_DELAY_MS || !REMIND_BEFORE_MS.some((before) => row.startsAt - before === row.dueAt))
      return [];
    const eventId = derivedUuidv7(row.dueAt, `${row.id}.${row.startsAt}.${row.dueAt}`);
    return tellOfAppointment({ db, actor, now }, "appointment.reminder", row, { eventId });
  },
});

/** Every minute. A run that is cut off is continued by the next. */
export async function runAppointmentJobs(env: Env, now: number): Promise<void> {
  const run: Run = { env, db: getDb(env.DB), now };
  for (const job of [expire(run), remind(run), recordNoShows(run)]) {
    for (const row of await run.db.all<Due>(job.select)) {
      await applyTo(run, job, row).catch((error: unknown) => {
        if (isRoleChanged(error)) return;
        log(env, "ERROR", "appointment not changed by the clock", {
          ...{ operation: job.name, cause: describeCause(error), at: stackFrames(error) },
        });
      });
    }
  }
}

/** Every 15 minutes, with the cleanup: times that nobody took. @param now epoch milliseconds */
export const pruneAppointments = (db: Db, now: number): Statement[] => [
  db.run(sql`DELETE FROM freed_slots WHERE freed_at < ${now - 24 * 3_600_000}`),
];
