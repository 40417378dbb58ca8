// The person shares records on their own initiative, with a hospital that has a record of theirs or with one practitioner there.

import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import type { Call, UserActor } from "../access/actor.ts";
import { failWithAudit } from "../access/deny.ts";
import { isGuardianshipOf } from "../access/guardians.ts";
import { failsUnless } from "../access/sign-in.ts";
import type { KeyStatements } from "../http/idempotency.ts";
import { notify } from "../notifications/notify.ts";
import { batch, isRoleChanged } from "../platform/db/client.ts";
import { ROW_LIMITS, toLimitError } from "../platform/db/row-limits.ts";
import type { CONSENT_PURPOSES } from "../platform/db/vocabulary.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { selectConsent, toCreated } from "./consent-rows.ts";
import { createGranted } from "./create-granted.ts";
import { tellOfDecision } from "./guardian-notices.ts";
import { isShareable, isStillGuardian, selectGuardianshipsHeld } from "./persons.ts";
import { recordInLogs, selectPlaces } from "./places.ts";
import { type ConsentScope, findScopeErrors } from "./scope.ts";

export type Share = ConsentScope & {
  hospitalId: string | null;
  practitionerId: string | null;
  /** The record at the hospital that the consent is for; null: the one that fits. */
  ownId: string | null;
  patientIds: readonly string[];
  purpose: (typeof CONSENT_PURPOSES)[number];
};

/** `isFit`: all of the records can be shared for it. */
type Recipient = { patientId: string; hospitalId: string; isFit: number };
/** Records that a conflict lists. A login has at most 20 guardianships, and few records of its own at one hospital. */
const MAX_RECIPIENTS = 30;

/** The records at the hospital, where one is named that of the practitioner, of which the caller is the person or the guardian. */
const selectRecords = ({ userId }: UserActor, { hospitalId, practitionerId, ownId }: Share, now: number): SQL => sql`
  SELECT p.id AS patient_id, p.hospital_id AS hospital_id, min(o.since) AS since FROM (
    SELECT l.patient_id, l.created_at AS since FROM patient_links l WHERE l.user_id = ${userId}
    UNION ALL SELECT g.patient_id, g.recorded_at FROM guardianships g WHERE ${isGuardianshipOf(userId, now)}) o
  JOIN patients p ON p.id = o.patient_id AND p.active = 1 JOIN hospitals h ON h.id = p.hospital_id AND h.active = 1
  WHERE ${hospitalId === null ? sql`1` : sql`p.hospital_id = ${hospitalId}`}
    AND ${practitionerId === null ? sql`1` : sql`p.hospital_id = ${practisesAt(practitionerId)}`}
    AND ${ownId === null ? sql`1` : sql`p.id = ${ownId}`} GROUP BY p.id`;

/** Those to which all of the records can be shared come first, then those that were linked or recorded first. */
function selectRecipients(actor: UserActor, share: Share, now: number): SQL {
  const isShared = isShareable(actor.userId, sql`j.value`, sql`s.patient_id`, sql`s.hospital_id`, now);
  return sql`WITH s AS MATERIALIZED (${selectRecords(actor, share, now)})
    SELECT s.patient_id AS patientId, s.hospital_id AS hospitalId,
      NOT EXISTS (SELECT 1 FROM json_each(${JSON.stringify(share.patientIds)}) j WHERE NOT ${isShared}) AS isFit
    FROM s ORDER BY 3 DESC, s.since, s.patient_id LIMIT ${MAX_RECIPIENTS}`;
}

/** The hospital of a practitioner who works there now, else NULL. */
const practisesAt = (practitionerId: string): SQL => sql`(SELECT n.hospital_id FROM practitioners n
  JOIN users u ON u.id = n.user_id AND u.active = 1
  JOIN memberships m ON m.user_id = n.user_id AND m.hospital_id = n.hospital_id AND m.ended_at IS NULL AND m.suspended_at IS NULL
  WHERE n.id = ${practitionerId} AND n.active = 1 AND m.role IN ('doctor', 'nurse'))`;

/**
 * Creates a consent that is granted at once. Nobody but a named practitioner is notified.
 * @throws ApiError forbidden, invalid_request, recipient_unavailable, recipient_ambiguous (several records fit, and none is named),
 *   conflict (a record that the person cannot share), limit_reached
 */
export async function shareConsent(anyCall: Call, share: Share, keyStatements: KeyStatements) {
  const { call, effectiveRole, results } = await withUser(anyCall, "consent:decide", (_, { db, actor, now }) => [
    db.all<Recipient>(selectRecipients(actor, share, now)),
    selectPlaces(db, share.patientIds),
    selectGuardianshipsHeld(db, actor.userId, now),
  ]);
  const { db, actor, now } = call;
  const errors = findScopeErrors(share, now);
  if (errors.length > 0) throw new ApiError("invalid_request", "Some fields are invalid; see errors.", { errors });
  const [recipients, sharedPlaces, held] = results;
  const [recipient] = recipients;
  const guardianship = held.find((one) => one.patientId === recipient?.patientId || share.patientIds.includes(one.patientId));
  const id = uuidv7();
  const { role } = effectiveRole;
  const basis = guardianship ? "guardian" : "self";
  const detail = { purpose: share.purpose, ...(guardianship && { guardianship_id: guardianship.id }) };
  const event = { event: "consent.share", action: "C", role, basis, detail } as const;
  if (!recipient) return failWithAudit(call, "recipient_unavailable", event);
  const fits = recipients.filter(({ isFit }) => isFit === 1);
  if (fits.length > 1) {
    const choices = fits.map((fit) => ({ patient_id: fit.patientId }));
    return failWithAudit(call, "recipient_ambiguous", event, undefined, { members: { choices } });
  }
  const { patientId, hospitalId } = recipient;
  const { practitionerId, purpose, patientIds: sharedIds } = share;
  const canShare = isShareable(actor.userId, sql`j.value`, sql`${patientId}`, sql`${hospitalId}`, now);
  const places = [{ id: patientId, hospitalId }, ...sharedPlaces];
  const written = await batch(db, [
    ...keyStatements(id),
    failsUnless(
      db,
      sql`EXISTS (SELECT 1 FROM (${selectRecords(actor, share, now)}) r WHERE r.patient_id = ${patientId})
        AND ${guardianship ? isStillGuardian(actor.userId, guardianship.id, now) : sql`1`}
        AND NOT EXISTS (SELECT 1 FROM json_each(${JSON.stringify(sharedIds)}) j WHERE NOT ${canShare})`,
    ),
    ...createGranted(call, {
      id,
      hospitalId,
      patientId,
      practitionerId,
      purpose,
      scope: share,
      sharedIds,
      grantedBy: actor.userId,
    }),
    ...recordInLogs(call, { ...event, entity: { type: "consent", id } }, places),
    ...(guardianship
      ? tellOfDecision(call, actor.userId, { consentId: id, hospitalId, step: "share" }, [patientId, ...sharedIds])
      : []),
    ...(practitionerId === null
      ? []
      : notify(db, actor, now, {
          kind: "consent.shared",
          hospitalId,
          refs: { consent_id: id },
          recipients: sql`SELECT n.user_id FROM practitioners n WHERE n.id = ${practitionerId}`,
        })),
    selectConsent(db, id),
  ]).catch((error: unknown) => {
    if (isRoleChanged(error)) throw new ApiError("conflict", "A record cannot be shared.");
    throw toLimitError(error, ROW_LIMITS.liveConsents);
  });
  return toCreated(call, written, true);
}
