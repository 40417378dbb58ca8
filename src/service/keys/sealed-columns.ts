// The table of all sealed columns of D1, with what each value is bound to. A test compares it with the schema.
import { getTableName } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import {
  alertEvents,
  appointments,
  consents,
  deliveries,
  deployment,
  documentRequests,
  documents,
  emailLinks,
  emergencyAccesses,
  encounterNotes,
  encounters,
  erasures,
  guardianships,
  heldObservations,
  importGrants,
  intakeLinks,
  intakeResponses,
  intakeSubmissions,
  invitations,
  legalHolds,
  noticeDelays,
  notificationSettings,
  passkeys,
  patientChanges,
  patientHolds,
  patientMerges,
  patients,
  phoneCodes,
  practitioners,
  privacyReviews,
  pushSubscriptions,
  reportChanges,
  reportDrafts,
  reports,
  reportVersions,
  scheduleExceptions,
  sessions,
  totpFactors,
  uploads,
  users,
  waitingEntries,
  wards,
  webhooks,
} from "../../platform/db/schema.ts";

/** A column of sealed values. `id` and `version`: the columns whose values are those of the SealContext (platform/crypto.ts). */
export type SealedColumn = { column: SQLiteColumn; aadName: string; id: SQLiteColumn; version: SQLiteColumn | null };
/** `key`: the primary key of the table, in its order. */
export type SealedTable = { name: string; table: SQLiteTable; key: readonly SQLiteColumn[]; columns: readonly SealedColumn[] };

const SUFFIX = /_sealed$/;

type Binding = { id?: SQLiteColumn; version?: SQLiteColumn };

/** Columns that are bound to the row's id, and to `version` if it is given. */
function sealedTable(table: SQLiteTable, key: readonly SQLiteColumn[], columns: [SQLiteColumn, Binding?][]): SealedTable {
  const [firstKey] = key;
  if (!firstKey) throw new Error("a sealed table needs a primary key");
  return {
    name: getTableName(table),
    table,
    key,
    columns: columns.map(([column, { id = firstKey, version = null } = {}]) => ({
      column,
      aadName: column.name.replace(SUFFIX, ""),
      id,
      version,
    })),
  };
}

const ofVersion = (version: SQLiteColumn): Binding => ({ version });

export const SEALED_TABLES: readonly SealedTable[] = [
  sealedTable(users, [users.id], [[users.profileSealed]]),
  sealedTable(sessions, [sessions.id], [[sessions.clientSealed]]),
  sealedTable(invitations, [invitations.id], [[invitations.inviteeSealed]]),
  sealedTable(emailLinks, [emailLinks.id], [[emailLinks.addressSealed]]),
  sealedTable(totpFactors, [totpFactors.userId], [[totpFactors.secretSealed]]),
  sealedTable(passkeys, [passkeys.id], [[passkeys.nameSealed]]),
  sealedTable(practitioners, [practitioners.id], [[practitioners.detailsSealed, ofVersion(practitioners.version)]]),
  sealedTable(wards, [wards.id], [[wards.news2ProfileReasonSealed], [wards.trendMarkReasonSealed]]),
  sealedTable(importGrants, [importGrants.id], [[importGrants.reasonSealed]]),
  sealedTable(legalHolds, [legalHolds.hospitalId], [[legalHolds.reasonSealed]]),
  sealedTable(
    patients,
    [patients.id],
    [
      [patients.identitySealed, ofVersion(patients.version)],
      [patients.clinicalSealed, ofVersion(patients.version)],
    ],
  ),
  sealedTable(patientChanges, [patientChanges.id], [[patientChanges.changeSealed]]),
  sealedTable(intakeResponses, [intakeResponses.id], [[intakeResponses.answersSealed]]),
  sealedTable(alertEvents, [alertEvents.alertId, alertEvents.n], [[alertEvents.commentSealed, ofVersion(alertEvents.at)]]),
  sealedTable(
    heldObservations,
    [heldObservations.id],
    [[heldObservations.itemsSealed], [heldObservations.noteSealed, { id: heldObservations.resolutionId }]],
  ),
  sealedTable(reports, [reports.id], [[reports.fileNameSealed], [reports.commentSealed]]),
  sealedTable(reportChanges, [reportChanges.id], [[reportChanges.detailSealed]]),
  sealedTable(uploads, [uploads.id], [[uploads.detailSealed]]),
  sealedTable(
    documents,
    [documents.id],
    [[documents.titleSealed], [documents.authorSealed], [documents.fileNameSealed], [documents.reasonSealed]],
  ),
  sealedTable(consents, [consents.id], [[consents.reasonSealed]]),
  sealedTable(documentRequests, [documentRequests.id], [[documentRequests.descriptionSealed], [documentRequests.reasonSealed]]),
  sealedTable(privacyReviews, [privacyReviews.id], [[privacyReviews.contentSealed], [privacyReviews.noteSealed]]),
  sealedTable(emergencyAccesses, [emergencyAccesses.id], [[emergencyAccesses.reasonSealed]]),
  sealedTable(noticeDelays, [noticeDelays.patientId], [[noticeDelays.reasonSealed]]),
  sealedTable(patientHolds, [patientHolds.id], [[patientHolds.reasonSealed], [patientHolds.releaseReasonSealed]]),
  sealedTable(erasures, [erasures.id], [[erasures.reasonSealed], [erasures.decisionReasonSealed]]),
  sealedTable(guardianships, [guardianships.id], [[guardianships.reasonSealed], [guardianships.endReasonSealed]]),
  sealedTable(deliveries, [deliveries.id], [[deliveries.answerSealed], [deliveries.bodySealed]]),
  sealedTable(notificationSettings, [notificationSettings.userId], [[notificationSettings.phoneSealed]]),
  sealedTable(phoneCodes, [phoneCodes.userId], [[phoneCodes.phoneSealed, { id: phoneCodes.id }]]),
  sealedTable(pushSubscriptions, [pushSubscriptions.id], [[pushSubscriptions.subscriptionSealed]]),
  sealedTable(scheduleExceptions, [scheduleExceptions.id], [[scheduleExceptions.noteSealed]]),
  sealedTable(
    appointments,
    [appointments.id],
    [
      [appointments.overbookReasonSealed],
      [appointments.reasonSealed],
      [appointments.notesSealed],
      [appointments.cancelReasonSealed],
    ],
  ),
  sealedTable(waitingEntries, [waitingEntries.id], [[waitingEntries.reasonSealed]]),
  sealedTable(encounters, [encounters.id], [[encounters.chiefComplaintSealed], [encounters.endReasonSealed]]),
  sealedTable(encounterNotes, [encounterNotes.id], [[encounterNotes.textSealed, ofVersion(encounterNotes.version)]]),
  sealedTable(
    reportDrafts,
    [reportDrafts.reportId],
    [[reportDrafts.contentSealed, ofVersion(reportDrafts.version)], [reportDrafts.reasonSealed]],
  ),
  sealedTable(reportVersions, [reportVersions.id], [[reportVersions.reasonSealed]]),
  sealedTable(intakeLinks, [intakeLinks.id], [[intakeLinks.formSealed]]),
  sealedTable(intakeSubmissions, [intakeSubmissions.id], [[intakeSubmissions.answersSealed], [intakeSubmissions.decisionSealed]]),
  sealedTable(patientMerges, [patientMerges.id], [[patientMerges.reasonSealed]]),
  sealedTable(webhooks, [webhooks.id], [[webhooks.urlSealed], [webhooks.descriptionSealed], [webhooks.secretsSealed]]),
];

/** The sealed constant by which a start recognizes the ring. The last value that is sealed again: without it an early `drop` is refused. */
export const SENTINEL_TABLE: SealedTable = sealedTable(deployment, [deployment.name], [[deployment.value]]);
