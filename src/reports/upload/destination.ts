// Where an uploaded file goes: to the reports of a patient, or into quarantine with a reason.
import { sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { denyAccess } from "../../access/deny.ts";
import { type DeviceAccess, resolveDeviceAccess } from "../../access/device-access.ts";
import { type Access, authorizePatient } from "../../access/patient-access.ts";
import { OWN_RECORD } from "../../access/patient-row.ts";
import { futureTimeError, requireClearTime, resolveMeasuredAt } from "../../http/measured-at.ts";
import type { QUARANTINE_REASONS, REPORT_STATUSES } from "../../platform/db/vocabulary.ts";
import { isAhead, MAX_BINDING_LATENESS_MS } from "../../platform/device-times.ts";
import type { ReportFields } from "./upload-request.ts";

export type ReportStatus = (typeof REPORT_STATUSES)[number];
export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];

/**
 * How long a device may have been offline before it sends a report without a time: within it, a change of its patient makes the
 * patient of that report unclear. As long as late samples follow an ended assignment, because the same devices keep both.
 */
export const MAX_OFFLINE_MS = MAX_BINDING_LATENESS_MS;

/**
 * `reason` is null for a file that becomes a report, unless it is no PDF. `device` is null for people and apps. `measuredAt` is Unix ms;
 * null: no time was sent, or it is unclear.
 */
export type Destination = { measuredAt: number | null } & (
  | { device: DeviceAccess | null; access: Access; reason: QuarantineReason | null }
  | { device: DeviceAccess; access: null; reason: QuarantineReason }
);

/** A device writes neither reports nor samples for a closed record; people and apps may add reports. */
export const isClosedToDevice = ({ basis, patient }: Access): boolean => basis === "device" && patient.active !== 1;

/**
 * Resolves the patient of a report. A device's report belongs to the patient to whom the device was assigned when it was measured.
 * @throws ApiError not_found, invalid_request (a time that is unclear or in the future), for people, apps and patients' own devices
 */
export async function resolveDestination(call: Call, about: ReportFields): Promise<Destination> {
  const { actor, now } = call;
  const target = about.patient_id === undefined ? OWN_RECORD : { patient: about.patient_id };
  if (actor.kind !== "device") {
    const access = await authorizePatient(call, target, "report:create");
    const measuredAt = requireClearTime(await resolveMeasuredAt(call, about.recorded_at, access.hospitalId));
    if (isAhead(measuredAt, now)) throw futureTimeError();
    return { measuredAt, device: null, access, reason: null };
  }
  const hospitalId = sql`(SELECT hospital_id FROM credentials WHERE id = ${actor.credentialId})`;
  const measured = await resolveMeasuredAt(call, about.recorded_at, hospitalId);
  const measuredAt = measured && "at" in measured ? measured.at : null;
  const device = await resolveDeviceAccess(call, actor, target, "report:create", measuredAt);
  const { access, isPatientOwned } = device;
  if (isPatientOwned) requireClearTime(measured);
  if (measured && measuredAt === null) return { measuredAt, device, access: null, reason: "time_unclear" };
  const unclear = findUnclearReason(device, measuredAt, about.patient_id !== undefined, now);
  if (isPatientOwned && unclear === "in_the_future") throw futureTimeError();
  if (isPatientOwned && (!access || unclear || isClosedToDevice(access))) return denyOwnDevice(call, device, access);
  if (!access || unclear) return { measuredAt, device, access: null, reason: unclear ?? "not_found" };
  return { measuredAt, device, access, reason: isClosedToDevice(access) ? "record_closed" : null };
}

/** Refuses a report that would go to quarantine: no staff knows the files of a patient's own device. @throws ApiError not_found */
export function denyOwnDevice(call: Call, { hospitalId }: { hospitalId: string }, access: Access | null): Promise<never> {
  const patientId = access?.patient.id ?? null;
  return denyAccess(call, "report:create", "not_found", { role: "device", hospitalId, patientId });
}

/**
 * A report that holds the same file as an upload. `isOwn`: the calling device sent it. `movedFrom`: ids of the records that it left,
 * with commas between them.
 */
export type SameFile = {
  id: string;
  patientId: string;
  hospitalId: string;
  status: ReportStatus;
  isOwn: number;
  movedFrom: string | null;
};

/** Whether the report was moved from that patient's record, and has not come back. */
export const isMovedFrom = (report: SameFile | undefined, patientId: string | null): boolean =>
  report !== undefined &&
  patientId !== null &&
  report.patientId !== patientId &&
  (report.movedFrom ?? "").split(",").includes(patientId);

/** Names neither the report nor its place: the sender may have no access there. */
export const MOVED_DETAIL = "Staff have filed this report in another record. Do not send it again.";

/**
 * The report that an upload repeats: the patient's with the same file, or, for a device that says neither patient nor time, the one
 * that the device itself sent: a retry, whatever the device is assigned to by now.
 */
export function findDuplicate(
  sameFile: readonly SameFile[],
  access: Access | null,
  about: ReportFields | undefined,
): SameFile | undefined {
  const isSilent = about?.patient_id === undefined && about?.recorded_at === undefined;
  return (
    sameFile.find(({ patientId }) => patientId === access?.patient.id) ??
    (isSilent ? sameFile.find(({ isOwn }) => isOwn === 1) : undefined)
  );
}

/** Whether a device's file is a report of another patient of its hospital. */
export const isFiledElsewhere = (sameFile: readonly SameFile[], { basis, hospitalId, patient }: Access): boolean =>
  basis === "device" && sameFile.some((report) => report.hospitalId === hospitalId && report.patientId !== patient.id);

/**
 * Why the device's patient at the time of measurement is not known, or null. Before a device's first assignment it belongs to no
 * patient, so that one is no change.
 * @param isNamed whether the device named the patient, which settles a report without a time
 */
function findUnclearReason(
  { assignment, wasAssigned }: DeviceAccess,
  measuredAt: number | null,
  isNamed: boolean,
  now: number,
): QuarantineReason | null {
  if (isAhead(measuredAt, now)) return "in_the_future";
  if (!assignment) return measuredAt !== null && wasAssigned ? "not_bound_then" : "not_found";
  const { endedAt, changedAt } = assignment;
  if (endedAt !== null && endedAt <= now - MAX_BINDING_LATENESS_MS) return "binding_ended";
  const isChanged = changedAt !== null && changedAt > now - MAX_OFFLINE_MS;
  return measuredAt === null && isChanged && !isNamed ? "binding_changed" : null;
}
