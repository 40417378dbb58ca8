// Writes the end of requests whose time is over, for cron. Readers see the end by the clock before.
import { sql } from "drizzle-orm";
import type { SystemActor } from "../access/actor.ts";
import { recordAuditEvent } from "../access/audit.ts";
import { endConsent, tellAskedHospital } from "../consents/document-consents.ts";
import { notify } from "../notifications/notify.ts";
import { batch, type Db, type Statement } from "../platform/db/client.ts";
import { uuidv7 } from "../platform/ids.ts";
import { selectPerson, selectRequester } from "./advance-request.ts";
import { parseIds, REQUESTS, type RequestRow } from "./request-rows.ts";
import { selectState } from "./states.ts";

/** Requests per run, oldest first; the next run continues. */
export const EXPIRED_PER_RUN = 50;

type DueRow = Pick<
  RequestRow,
  | "id"
  | "hospitalId"
  | "patientId"
  | "consentId"
  | "askedHospitalId"
  | "requestedBy"
  | "decidedBy"
  | "version"
  | "state"
  | "shared"
>;

const newActor = (): SystemActor => ({ kind: "system", name: "document-requests", via: { requestId: uuidv7(), ip: null } });

/** Reads the requests whose time is over, for `endRequests`. */
export const selectDueRequests = (db: Db, now: number) =>
  db.all<DueRow>(sql`SELECT q.id AS id, q.hospital_id AS hospitalId, q.patient_id AS patientId,
      q.consent_id AS consentId, q.asked_hospital_id AS askedHospitalId, q.requested_by AS requestedBy, c.decided_by AS decidedBy,
      q.version AS version, ${selectState(now)} AS state,
      (SELECT json_group_array(r.patient_id) FROM consent_records r WHERE r.consent_id = q.consent_id) AS shared
    FROM ${REQUESTS} WHERE q.status IN ('requested', 'approved') AND q.expires_at <= ${now}
    ORDER BY q.expires_at LIMIT ${EXPIRED_PER_RUN}`);

/** Ends each in a batch of its own; running it again for the same rows changes nothing. */
export async function endRequests(db: Db, due: readonly DueRow[], now: number): Promise<void> {
  for (const row of due) await batch(db, endStatements(db, row, now));
}

/** What the person has denied or revoked ends as that, and was told then. */
function endStatements(db: Db, row: DueRow, now: number): Statement[] {
  const actor = newActor();
  const isOpen = sql`EXISTS (SELECT 1 FROM document_requests WHERE id = ${row.id} AND version = ${row.version})`;
  const isDone = sql`EXISTS (SELECT 1 FROM document_requests WHERE id = ${row.id} AND version = ${row.version + 1}
    AND status = ${row.state} AND updated_at = ${now})`;
  const end = db.run(sql`UPDATE document_requests SET status = ${row.state}, ended_at = CAST(${now} AS INTEGER),
    updated_at = CAST(${now} AS INTEGER), version = version + 1 WHERE id = ${row.id} AND version = ${row.version}`);
  if (row.state !== "expired") return [end];
  const notice = { kind: "document_request.ended", hospitalId: row.hospitalId, refs: { document_request_id: row.id } } as const;
  const places = [
    { hospitalId: row.hospitalId, subjects: [row.patientId] },
    { hospitalId: row.askedHospitalId, subjects: parseIds(row.shared) },
  ].filter(({ subjects }) => subjects.length > 0);
  const ofRequest = { id: row.consentId, documentRequestId: row.id };
  return [
    ...notify(db, actor, now, { ...notice, recipients: selectPerson(row, now), when: isOpen }),
    ...notify(db, actor, now, { ...notice, recipients: selectRequester(row), when: isOpen }),
    ...(row.shared === "[]" ? [] : tellAskedHospital({ db, actor, now }, ofRequest, row.askedHospitalId, notice.kind, isOpen)),
    ...places.flatMap(({ hospitalId, subjects }) =>
      recordAuditEvent(db, actor, now, {
        event: "document_request.expire",
        action: "U",
        hospitalId,
        entity: { type: "document_request", id: row.id },
        subjects,
        detail: { consent_id: row.consentId },
        when: isOpen,
      }),
    ),
    end,
    ...endConsent(db, row.consentId, null, now, isDone),
  ];
}
