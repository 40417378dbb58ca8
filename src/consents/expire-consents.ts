// What the clock does to consents: those past their time become expired, and at their erase-at what they say of a person is erased.
import { type SQL, sql } from "drizzle-orm";
import type { SystemActor } from "../access/actor.ts";
import { failsUnless } from "../access/sign-in.ts";
import { handOverEvents } from "../notifications/delivery/hand-over.ts";
import { notify } from "../notifications/notify.ts";
import { batch, type Db, getDb, isRoleChanged, type Statement } from "../platform/db/client.ts";
import { describeCause, stackFrames } from "../platform/errors.ts";
import { derivedUuidv7 } from "../platform/ids.ts";
import { log } from "../platform/log.ts";
import { CONSENT_COLUMNS, type ConsentRow, keepVersion } from "./consent-rows.ts";
import { type Place, recordInLogs, selectPlaces } from "./places.ts";

/** Consents per run and step; the next run continues. */
export const MAX_PER_RUN = 50;

type ClockChange = { event: "consent.expire" | "consent.erase"; isDue: SQL; set: SQL; extra: (row: ConsentRow) => Statement[] };
type Run = { env: Env; db: Db; now: number };

/** The actor of changes by the clock: the service itself. */
const consentActor = (id: string): SystemActor => ({
  kind: "system",
  name: "consents",
  via: { requestId: `consents-${id}`, ip: null },
});

/** Rows `c`. Each alternative has an index of its own. */
const hasExpired = (now: number): SQL => sql`((c.status = 'requested' AND c.answer_until <= ${now})
  OR (c.status = 'granted' AND c.expires_at <= ${now}))`;

/** To the person, to the member of staff who asked, and to a named practitioner. */
const recipientsOf = (id: string): SQL => sql`SELECT l.user_id FROM consents c JOIN patient_links l ON l.patient_id = c.patient_id
    WHERE c.id = ${id}
  UNION SELECT l.user_id FROM consent_records r JOIN patient_links l ON l.patient_id = r.patient_id WHERE r.consent_id = ${id}
  UNION SELECT m.user_id FROM consents c JOIN memberships m ON m.hospital_id = c.hospital_id AND m.ended_at IS NULL
    WHERE c.id = ${id} AND (m.user_id = c.requested_by
      OR m.user_id = (SELECT n.user_id FROM practitioners n WHERE n.id = c.practitioner_id))`;

/**
 * Writes one change, its version and its events in one batch. Of two runs at once, the batch of the second fails and changes nothing.
 */
async function applyChange({ env, db, now }: Run, row: ConsentRow, change: ClockChange): Promise<void> {
  const actor = consentActor(row.id);
  const isAsRead = sql`c.id = ${row.id} AND c.version = ${row.version} AND ${change.isDue}`;
  const shared: Place[] = await selectPlaces(db, [], row.id);
  const event = {
    event: change.event,
    action: "U",
    entity: { type: "consent", id: row.id },
    detail: { purpose: row.purpose },
  } as const;
  const eventId = derivedUuidv7(now, `${row.id}.${change.event}`);
  await batch(db, [
    failsUnless(db, sql`EXISTS (SELECT 1 FROM consents c WHERE ${isAsRead})`),
    db.run(sql`UPDATE consents AS c SET ${change.set}, updated_at = CAST(${now} AS INTEGER), version = c.version + 1
      WHERE ${isAsRead}`),
    ...change.extra(row),
    keepVersion(db, row.id, null, now, sql`1`),
    ...recordInLogs({ db, actor, now }, event, [{ id: row.patientId, hospitalId: row.hospitalId }, ...shared]),
    ...(change.event === "consent.expire"
      ? notify(db, actor, now, {
          kind: "consent.ended",
          hospitalId: row.hospitalId,
          refs: { consent_id: row.id },
          recipients: recipientsOf(row.id),
          eventId,
        })
      : []),
  ]);
  await handOverEvents(env, actor);
}

async function applyToDue(run: Run, change: ClockChange): Promise<number> {
  const due = await run.db.all<ConsentRow>(
    sql`SELECT ${CONSENT_COLUMNS} FROM consents c WHERE ${change.isDue} LIMIT ${MAX_PER_RUN}`,
  );
  for (const row of due) {
    // One that fails does not hold up the others; the next run tries it again.
    await applyChange(run, row, change).catch((error: unknown) => {
      if (isRoleChanged(error)) return;
      log(run.env, "ERROR", "consent not changed by the clock", { cause: describeCause(error), at: stackFrames(error) });
    });
  }
  return due.length;
}

/**
 * Ends and erases what is due, at most `MAX_PER_RUN` of each. A run that is cut off is continued by the next; a second run changes
 * nothing. Access does not wait for it: a consent opens nothing from its time on.
 */
export async function expireConsents(env: Env, now: number): Promise<{ expired: number; erased: number }> {
  const run = { env, db: getDb(env.DB), now };
  const expired = await applyToDue(run, {
    event: "consent.expire",
    isDue: hasExpired(now),
    set: sql`status = 'expired', ended_at = CAST(${now} AS INTEGER)`,
    extra: () => [],
  });
  const erased = await applyToDue(run, {
    event: "consent.erase",
    isDue: sql`(c.erased_at IS NULL AND c.erase_at <= ${now} AND c.status NOT IN ('requested', 'granted'))`,
    set: sql`reason_sealed = NULL, erased_at = CAST(${now} AS INTEGER)`,
    extra: (row) => [
      run.db.run(sql`DELETE FROM consent_records WHERE consent_id = ${row.id}`),
      run.db.run(
        sql`UPDATE consent_versions SET artefact = json_set(artefact, '$.shared', json('[]')) WHERE consent_id = ${row.id}`,
      ),
    ],
  });
  return { expired, erased };
}
