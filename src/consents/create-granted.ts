// A consent that is granted as it is created: the person shares without being asked.
import { sql } from "drizzle-orm";
import { type Call, getActorId } from "../access/actor.ts";
import type { Statement } from "../platform/db/client.ts";
import { ROW_LIMITS, unlessFull } from "../platform/db/row-limits.ts";
import type { CONSENT_PURPOSES } from "../platform/db/vocabulary.ts";
import { keepVersion } from "./consent-rows.ts";
import type { ConsentScope } from "./scope.ts";

export type GrantedConsent = {
  id: string;
  hospitalId: string;
  /** The reading hospital's own record of the person. */
  patientId: string;
  /** Null: for every member of the hospital who sees that record. */
  practitionerId: string | null;
  purpose: (typeof CONSENT_PURPOSES)[number];
  scope: ConsentScope;
  sharedIds: readonly string[];
  /** The login of the person. */
  grantedBy: string;
};

/** The consent, its records and its first version. A batch that fails at the limit has `ROW_LIMITS.liveConsents` as its reason. */
export function createGranted({ db, actor, now }: Pick<Call, "db" | "actor" | "now">, consent: GrantedConsent): Statement[] {
  const { id, hospitalId, patientId, scope, grantedBy } = consent;
  const purpose = unlessFull(
    sql`${consent.purpose}`,
    ROW_LIMITS.liveConsents,
    sql`consents WHERE patient_id = ${patientId} AND status = 'granted' AND expires_at > ${now}`,
  );
  return [
    db.run(sql`INSERT INTO consents (id, hospital_id, patient_id, status, purpose, kinds, data_from, data_until, answer_until,
        expires_at, erase_at, practitioner_id, decided_by, decided_at, created_at, updated_at)
      VALUES (${id}, ${hospitalId}, ${patientId}, 'granted', ${purpose}, ${scope.kinds.join(" ")},
        CAST(${scope.dataFrom} AS INTEGER), CAST(${scope.dataUntil} AS INTEGER), CAST(${now} AS INTEGER),
        CAST(${scope.expiresAt} AS INTEGER), CAST(${scope.eraseAt} AS INTEGER), ${consent.practitionerId}, ${grantedBy},
        CAST(${now} AS INTEGER), CAST(${now} AS INTEGER), CAST(${now} AS INTEGER))`),
    db.run(sql`INSERT INTO consent_records (consent_id, patient_id)
      SELECT ${id}, j.value FROM json_each(${JSON.stringify([...new Set(consent.sharedIds)])}) j`),
    keepVersion(db, id, getActorId(actor), now, sql`1`),
  ];
}
