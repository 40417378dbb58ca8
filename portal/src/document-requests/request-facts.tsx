// What a document request says, in words.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { getFullName } from "../patients/api.ts";
import { usePatientRecord } from "../patients/record/use-patient-record.ts";
import { formatDate, formatDateTime } from "../platform/design/format.ts";
import { DescriptionList } from "../platform/design/page.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import type { DocumentRequest } from "./api.ts";
import classes from "./requests.module.css";

type Translate = ReturnType<typeof useTranslation>;

export const typeName = ({ type }: DocumentRequest, t: Translate): string =>
  type ? translateCode("document_type", type.code) : t("requests.any_type");

export const askedName = ({ hospital }: DocumentRequest, t: Translate): string => hospital?.name ?? t("requests.patient_chooses");

/** The last day is included in words, as people say it. @param zone of the screen */
function formatDates({ date_from, date_to }: DocumentRequest, zone: string | undefined, t: Translate): string {
  const from = date_from && formatDate(date_from, zone);
  const until = date_to && formatDate(new Date(Date.parse(date_to) - 1).toISOString(), zone);
  if (from && until) return t("requests.dates_between", { from, until });
  if (from) return t("requests.dates_from", { from });
  return until ? t("requests.dates_until", { until }) : t("requests.any_time");
}

/** To a person, who has no direction, of what they did themselves. */
function statusName({ status, direction }: Pick<DocumentRequest, "status" | "direction">, t: Translate): string {
  const isOwn = direction === null && (status === "requested" || status === "denied" || status === "revoked");
  return isOwn ? t(`requests.my_status.${status}`) : t(`requests.status.${status}`);
}

export function RequestBadge({ request }: { request: Pick<DocumentRequest, "status" | "direction"> }) {
  const t = useTranslation();
  const { status } = request;
  return (
    <span className={classes.badge} data-status={status}>
      {statusName(request, t)}
    </span>
  );
}

/** Records at the caller's own hospital: the one for which it asks, or those that are shared. */
export const ownRecords = ({ direction, patient_id, shared_patient_ids }: DocumentRequest): string[] =>
  direction === "in" ? shared_patient_ids : patient_id === null ? [] : [patient_id];

/** @param isOwn to the person, whose consent says the rest */
export function RequestFacts({ request, zone, isOwn }: { request: DocumentRequest; zone: string | undefined; isOwn: boolean }) {
  const t = useTranslation();
  const facts: (readonly [string, ReactNode])[] = [
    [t("requests.status"), <RequestBadge key="status" request={request} />],
    [t("requests.to"), askedName(request, t)],
    [t("requests.type"), typeName(request, t)],
    [t("requests.dates"), formatDates(request, zone, t)],
  ];
  const patients: readonly [string, ReactNode] = [t("requests.patient"), <PatientLinks key="patient" request={request} />];
  const ofStaff: (readonly [string, ReactNode])[] = [
    [t("requests.from"), request.requesting_hospital.name],
    [t("requests.description"), request.description ?? t("requests.unreadable")],
    [t("requests.purpose"), translateCode("consents.purpose", request.purpose)],
    [t("requests.access_until"), formatDateTime(request.access_until, zone)],
  ];
  return (
    <div className={classes.words}>
      <DescriptionList items={isOwn ? facts : [patients, ...facts, ...ofStaff]} />
    </div>
  );
}

function PatientLinks({ request }: { request: DocumentRequest }) {
  return ownRecords(request).map((patientId) => (
    <p key={patientId}>
      <Link to="/patients/$patientId" params={{ patientId }}>
        <PatientName patientId={patientId} />
      </Link>
    </p>
  ));
}

/** Name and number, or a plain word where the record cannot be read. */
export function PatientName({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const { data } = usePatientRecord(patientId);
  if (!data) return t("requests.open_patient");
  return `${getFullName(data.data)} · ${t("common.number", { n: data.data.patient_number })}`;
}
