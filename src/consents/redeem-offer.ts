// Staff enters a person's code for a record of their own hospital, which may then read what the person shares. A code is used once.

import { type SQL, sql } from "drizzle-orm";
import type { Call } from "../access/actor.ts";
import { denyAccess, failWithAudit } from "../access/deny.ts";
import { type Access, withPatient } from "../access/patient-access.ts";
import { areDifferentPersons } from "../access/persons.ts";
import { failsUnless } from "../access/sign-in.ts";
import { notify } from "../notifications/notify.ts";
import { batch, isRoleChanged } from "../platform/db/client.ts";
import { ROW_LIMITS, toLimitError } from "../platform/db/row-limits.ts";
import { uuidv7 } from "../platform/ids.ts";
import { selectConsent, toCreated } from "./consent-rows.ts";
import { createGranted } from "./create-granted.ts";
import { hashOfferCode, isOpenOffer, OFFER_COLUMNS, type OfferRow } from "./offers.ts";
import { isShareable } from "./persons.ts";
import { type Place, recordInLogs } from "./places.ts";
import type { ConsentScope } from "./scope.ts";

/** `places`: JSON array of the records that the person can share with the hospital now; `isOther`: one is known to be somebody else's. */
type FoundOffer = OfferRow & { places: string; isOther: number };

const isUsable = (codeHash: string, now: number): SQL => sql`o.code_hash = ${codeHash} AND ${isOpenOffer(now)}
  AND EXISTS (SELECT 1 FROM users u WHERE u.id = o.user_id AND u.active = 1)`;

/** The offer of a code for the record `ownId`. */
function selectOffer(codeHash: string, ownId: SQL, now: number): SQL {
  const hospitalId = sql`(SELECT hospital_id FROM patients WHERE id = ${ownId})`;
  return sql`SELECT ${OFFER_COLUMNS},
      (SELECT json_group_array(json_object('id', q.id, 'hospitalId', q.hospital_id)) FROM json_each(o.patient_ids) j
        JOIN patients q ON q.id = j.value WHERE ${isShareable(sql`o.user_id`, sql`q.id`, ownId, hospitalId, now)}) AS places,
      EXISTS (SELECT 1 FROM json_each(o.patient_ids) j WHERE ${areDifferentPersons(sql`j.value`, ownId)}) AS isOther
    FROM consent_offers o WHERE ${isUsable(codeHash, now)}`;
}

const toScope = (row: OfferRow): ConsentScope => ({
  kinds: row.kinds.split(" ") as ConsentScope["kinds"],
  dataFrom: row.dataFrom,
  dataUntil: row.dataUntil,
  expiresAt: row.expiresAt,
  eraseAt: row.eraseAt,
});

const denyCode = (call: Call, { role, hospitalId, patient }: Access) =>
  denyAccess(call, "consent:request", "not_found", { role, hospitalId, patientId: patient.id });

/**
 * Creates the consent of a code. Records of the hospital itself are left out.
 * @param code as `ClaimCode` returns it, of the alphabet of base 32
 * @throws ApiError not_found (record or code, the same), conflict (nothing to share for this record, or it is somebody else's)
 */
export async function redeemOffer(call: Call, code: string, patientRef: string) {
  const { db, keys, actor, now } = call;
  const codeHash = await hashOfferCode(keys, code);
  const { access, results } = await withPatient(call, { patient: patientRef }, "consent:request", (ownId) => [
    db.all<FoundOffer>(selectOffer(codeHash, ownId, now)),
  ]);
  const [offer] = results[0];
  if (!offer) return denyCode(call, access);
  const { role, basis, hospitalId, patient } = access;
  const places: Place[] = JSON.parse(offer.places);
  const event = { event: "consent.redeem", action: "C", role, basis, detail: { purpose: offer.purpose } } as const;
  if (offer.isOther || places.length === 0) {
    const failed = { ...event, hospitalId, subjects: [patient.id] };
    return failWithAudit(call, "conflict", failed, "The code cannot be used for this record.");
  }
  const id = uuidv7();
  const sharedIds = places.map((place) => place.id);
  const { purpose, userId: grantedBy } = offer;
  const canShare = isShareable(grantedBy, sql`j.value`, sql`${patient.id}`, sql`${hospitalId}`, now);
  const consent = { id, hospitalId, patientId: patient.id, practitionerId: null, purpose, scope: toScope(offer) };
  const written = await batch(db, [
    failsUnless(
      db,
      sql`EXISTS (SELECT 1 FROM consent_offers o WHERE ${isUsable(codeHash, now)})
        AND NOT EXISTS (SELECT 1 FROM json_each(${JSON.stringify(sharedIds)}) j WHERE NOT ${canShare})`,
    ),
    ...createGranted(call, { ...consent, sharedIds, grantedBy }),
    db.run(sql`UPDATE consent_offers SET used_at = CAST(${now} AS INTEGER), consent_id = ${id} WHERE id = ${offer.id}`),
    ...recordInLogs(call, { ...event, actorHospitalId: hospitalId, entity: { type: "consent", id } }, [
      { id: patient.id, hospitalId },
      ...places,
    ]),
    ...notify(db, actor, now, {
      kind: "consent.code_used",
      hospitalId,
      refs: { consent_id: id },
      recipients: sql`SELECT ${grantedBy}`,
    }),
    selectConsent(db, id),
  ]).catch((error: unknown) => {
    if (isRoleChanged(error)) return denyCode(call, access);
    throw toLimitError(error, ROW_LIMITS.liveConsents);
  });
  return toCreated(call, written, false);
}
