// Who is notified of a guardianship and of what a guardian decides: the person, wherever they have a login, and the guardian.

import { type SQL, sql } from "drizzle-orm";
import type { Call } from "../access/actor.ts";
import { isGuardianshipOf } from "../access/guardians.ts";
import { type Notice, notify } from "../notifications/notify.ts";
import type { Statement } from "../platform/db/client.ts";

type Writer = Pick<Call, "db" | "actor" | "now">;
/** A guardianship with the hospital of its record. */
type Subject = { id: string; patientId: string; guardianId: string; hospitalId: string };
type Options = Pick<Notice, "when" | "eventId">;

/** Logins of the person: those that the record is linked to, without a guardian who has claimed it too. */
const selectPerson = ({ patientId, guardianId }: Pick<Subject, "patientId" | "guardianId">): SQL =>
  sql`SELECT l.user_id FROM patient_links l WHERE l.patient_id = ${patientId} AND l.user_id <> ${guardianId}`;

/** Tells the person about a step of a guardianship. */
export function tellPerson(
  { db, actor, now }: Writer,
  guardianship: Subject,
  step: "recorded" | "confirmed" | "ended",
  options: Options = {},
): Statement[] {
  const { id, guardianId, hospitalId } = guardianship;
  const refs = { guardianship_id: id, guardian_id: guardianId };
  return notify(db, actor, now, {
    kind: `guardian.${step}`,
    hospitalId,
    refs,
    recipients: selectPerson(guardianship),
    ...options,
  });
}

/** Tells the guardian that they decide from now on, or no longer. */
export function tellGuardian(
  { db, actor, now }: Writer,
  { id, guardianId, hospitalId }: Subject,
  step: "began" | "ended",
  options: Options = {},
): Statement[] {
  const refs = { guardianship_id: id };
  return notify(db, actor, now, {
    kind: `guardianship.${step}`,
    hospitalId,
    refs,
    recipients: sql`SELECT ${guardianId}`,
    ...options,
  });
}

type Decided = { consentId: string; hospitalId: string; step: "grant" | "deny" | "revoke" | "share" };

/**
 * Tells the person what a guardian has decided for them. @param patientIds the records that the decision concerns; those
 * without a guardianship of the caller are left out
 */
export function tellOfDecision(
  { db, actor, now }: Writer,
  userId: string,
  { consentId, hospitalId, step }: Decided,
  patientIds: readonly string[],
  when: SQL = sql`1`,
): Statement[] {
  return notify(db, actor, now, {
    kind: "guardian.decided",
    hospitalId,
    refs: { consent_id: consentId, guardian_id: userId, step },
    recipients: sql`SELECT l.user_id FROM guardianships g JOIN patient_links l ON l.patient_id = g.patient_id
      WHERE ${isGuardianshipOf(userId, now)} AND l.user_id <> ${userId}
        AND g.patient_id IN (SELECT value FROM json_each(${JSON.stringify(patientIds)}))`,
    when,
  });
}
