// The end of a guardianship: by staff, by the guardian, by a person who is of age, or by its date.

import { sql } from "drizzle-orm";
import type { Call, SystemActor } from "../access/actor.ts";
import { recordAuditEvent } from "../access/audit.ts";
import { failWithAudit, requiredFieldError } from "../access/deny.ts";
import { isOpenGuardianship } from "../access/guardians.ts";
import { failsUnless } from "../access/sign-in.ts";
import { handOverEvents } from "../notifications/delivery/hand-over.ts";
import { batch, type Db, getDb, isRoleChanged } from "../platform/db/client.ts";
import { describeCause, stackFrames } from "../platform/errors.ts";
import { derivedUuidv7 } from "../platform/ids.ts";
import { log } from "../platform/log.ts";
import { daysOf } from "../platform/partial-date.ts";
import { nullIfCorrupt } from "../platform/sealed-documents.ts";
import { tellGuardian, tellPerson } from "./guardian-notices.ts";
import { type GuardianshipRow, identityOf, sealGuardianReason, selectGuardianships } from "./guardian-rows.ts";
import { changeGuardianship, type FoundGuardianship, requireGuardianship } from "./guardians.ts";

/** Indian Majority Act, 1875, section 3. */
const AGE_OF_MAJORITY = 18;
/** Guardianships per run; the next run continues. */
export const MAX_PER_RUN = 50;

/** Whether somebody is of age for certain, from the first moment of the day (UTC). @param dateOfBirth FHIR date; the last possible day counts */
export function isOfAge(dateOfBirth: string | null, now: number): boolean {
  const born = dateOfBirth === null ? null : daysOf(dateOfBirth);
  if (!born) return false;
  const date = new Date(born.last);
  return Date.UTC(date.getUTCFullYear() + AGE_OF_MAJORITY, date.getUTCMonth(), date.getUTCDate()) <= now;
}

/** Whether the law lets the person end it: they were a minor and are of age now. Whoever cannot decide cannot decide this either. */
async function canPersonEnd({ call: { keys, now }, row }: FoundGuardianship): Promise<boolean> {
  if (row.ground !== "minor") return false;
  const identity = await nullIfCorrupt(identityOf(keys, row));
  return isOfAge(identity?.date_of_birth ?? null, now);
}

/**
 * Ends a guardianship.
 * @param reason required from staff
 * @throws ApiError not_found, invalid_request (staff without a reason), hospital_decides (the person, who is not of age or cannot decide),
 *   conflict (ended or expired)
 */
export async function endGuardian(anyCall: Call, id: string, reason: string | undefined) {
  const found = await requireGuardianship(anyCall, id, "guardianship:update", "guardian.end");
  const { call, caller, event } = found;
  if (caller === "staff" && reason === undefined) throw requiredFieldError("reason");
  if (caller === "person" && !(await canPersonEnd(found))) return failWithAudit(call, "hospital_decides", event);
  const { actor, keys, now } = call;
  const sealed = reason === undefined ? null : await sealGuardianReason(keys, id, reason, "end_reason");
  const values = sql`ended_by = ${actor.userId}, ended_at = CAST(${now} AS INTEGER), end_reason_sealed = ${sealed}`;
  return changeGuardianship(found, "ended", values, isOpenGuardianship(now));
}

/** The actor of changes by the clock: the service itself. */
const clockActor = (id: string): SystemActor => ({
  kind: "system",
  name: "guardians",
  via: { requestId: `guardians-${id}`, ip: null },
});

/** Of two runs at once, the batch of the second fails and changes nothing. */
async function expireOne(env: Env, db: Db, row: GuardianshipRow, now: number): Promise<void> {
  const call = { db, actor: clockActor(row.id), now };
  const isDue = sql`id = ${row.id} AND ended_at IS NULL AND valid_until <= ${now}`;
  const eventIdOf = (side: string) => derivedUuidv7(row.validUntil, `${row.id}.${side}`);
  await batch(db, [
    failsUnless(db, sql`EXISTS (SELECT 1 FROM guardianships WHERE ${isDue})`),
    db.run(sql`UPDATE guardianships SET ended_at = valid_until WHERE ${isDue}`),
    ...recordAuditEvent(db, call.actor, now, {
      event: "guardian.expire",
      action: "U",
      hospitalId: row.hospitalId,
      entity: { type: "guardianship", id: row.id },
      subjects: [row.patientId],
    }),
    ...tellPerson(call, row, "ended", { eventId: eventIdOf("person") }),
    ...tellGuardian(call, row, "ended", { eventId: eventIdOf("guardian") }),
  ]);
  await handOverEvents(env, call.actor);
}

/**
 * Writes the end of guardianships whose date has come, and tells both sides. Nobody waits for it: from its date on a guardian decides
 * nothing.
 */
export async function expireGuardianships(env: Env, now: number): Promise<number> {
  const db = getDb(env.DB);
  const due = await db.all<GuardianshipRow>(sql`${selectGuardianships(sql`g.ended_at IS NULL AND g.valid_until <= ${now}`)}
    ORDER BY g.valid_until LIMIT ${MAX_PER_RUN}`);
  for (const row of due) {
    // One that fails does not hold up the others; the next run tries it again.
    await expireOne(env, db, row, now).catch((error: unknown) => {
      if (isRoleChanged(error)) return;
      log(env, "ERROR", "guardianship not ended by the clock", { cause: describeCause(error), at: stackFrames(error) });
    });
  }
  return due.length;
}
