// Whom a change of an appointment is told: the logins of the record and its guardians, and the practitioner, except who made it.
import { type SQL, sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { selectGuardianIds } from "../../access/guardians.ts";
import type { NotificationKind } from "../../notifications/kinds.ts";
import { notify } from "../../notifications/notify.ts";
import type { Statement } from "../../platform/db/client.ts";

type Told = { id: string; hospitalId: string; patientId: string; practitionerId: string };

/** The logins of the record and of its guardians. */
export const selectPersons = (patientId: string, now: number): SQL =>
  sql`SELECT pl.user_id FROM patient_links pl WHERE pl.patient_id = ${patientId} UNION ${selectGuardianIds(patientId, now)}`;

const selectPractitioner = (practitionerId: string): SQL => sql`SELECT n.user_id FROM practitioners n
  JOIN memberships m ON m.user_id = n.user_id AND m.hospital_id = n.hospital_id AND m.ended_at IS NULL WHERE n.id = ${practitionerId}`;

/** Nobody is told of an appointment of a restricted record. @param when nobody is told unless this holds */
export function tellOfAppointment(
  { db, actor, now }: Pick<Call, "db" | "actor" | "now">,
  kind: NotificationKind,
  { id, hospitalId, patientId, practitionerId }: Told,
  { when = sql`1`, eventId }: { when?: SQL; eventId?: string } = {},
): Statement[] {
  const isOpen = sql`${when} AND EXISTS (SELECT 1 FROM patients r WHERE r.id = ${patientId} AND r.restricted_at IS NULL)`;
  const notice = { kind, hospitalId, when: isOpen, ...(eventId !== undefined && { eventId }) };
  const refs = { appointment_id: id, patient_id: patientId };
  const others = (recipients: SQL): SQL => sql`SELECT user_id FROM (${recipients}) WHERE user_id <> ${getActorId(actor)}`;
  const toStaff = notify(db, actor, now, {
    ...notice,
    refs: { ...refs, recipient: "staff" },
    recipients: others(selectPractitioner(practitionerId)),
  });
  if (kind === "appointment.requested") return toStaff;
  const toPersons = notify(db, actor, now, { ...notice, refs, recipients: others(selectPersons(patientId, now)) });
  return kind === "appointment.reminder" ? toPersons : [...toPersons, ...toStaff];
}
