// What a consent says, in words.
import type { ReactNode } from "react";
import { formatDate, formatDateTime } from "../platform/design/format.ts";
import { DescriptionList } from "../platform/design/page.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import type { Consent } from "./api.ts";
import classes from "./consents.module.css";
import { openEndsOf } from "./scope-draft.ts";

type Translate = ReturnType<typeof useTranslation>;
export type ConsentKind = Consent["kinds"][number];

const REPORT_PREFIX = "report:";

export const isReportKind = (kind: ConsentKind): boolean => kind.startsWith(REPORT_PREFIX);

export const kindName = (kind: ConsentKind, t: Translate): string =>
  isReportKind(kind)
    ? t("consents.kind.report", { kind: translateCode("report_kind", kind.slice(REPORT_PREFIX.length)) })
    : translateCode("consents.kind", kind);

export function formatDates(consent: Consent, zone: string | undefined, t: Translate): string {
  const { isFromOpen, isUntilOpen } = openEndsOf(consent);
  const [from, until] = [formatDate(consent.data_from, zone), formatDate(consent.data_until, zone)];
  if (isFromOpen && isUntilOpen) return t("requests.any_time");
  if (isFromOpen) return t("requests.dates_until", { until });
  return isUntilOpen ? t("requests.dates_from", { from }) : t("consents.dates_value", { from, until });
}

/** Expired before an answer is another thing than expired after one. */
export const statusName = ({ status, decided_at }: Consent): string =>
  translateCode("consents.status", status === "expired" && decided_at === null ? "unanswered" : status);

/** To the person. */
export function consentTitle({ status, hospital_name: hospital, document_request_id }: Consent, t: Translate): string {
  const isAsked = status === "requested";
  if (document_request_id !== null) return t(isAsked ? "requests.request_of" : "requests.consent_for", { hospital });
  return t(isAsked ? "consents.request_of" : "consents.consent_for", { hospital });
}

export function StatusBadge({ consent }: { consent: Consent }) {
  return (
    <span className={classes.badge} data-status={consent.status}>
      {statusName(consent)}
    </span>
  );
}

/** @param zone of the hospital that asks */
export function ConsentFacts({ consent, zone }: { consent: Consent; zone: string | undefined }) {
  const t = useTranslation();
  const { hospital_name, requested_by_name, requested_by, reason, purpose, kinds, status, shared } = consent;
  const time = (at: string) => formatDateTime(at, zone);
  const requester = [requested_by_name ?? t("common.unknown"), hospital_name].join(", ");
  const facts: (readonly [string, ReactNode])[] = [
    [t("consents.status"), statusName(consent)],
    [t("consents.asked_by"), requested_by === null ? t("consents.no_requester") : requester],
    [t("consents.reason"), reason ?? t("consents.no_reason")],
    [t("consents.purpose"), translateCode("consents.purpose", purpose)],
    [t(status === "requested" ? "consents.kinds_asked" : "consents.kinds"), kinds.map((kind) => kindName(kind, t)).join(", ")],
    [t("consents.dates"), formatDates(consent, zone, t)],
    ...(shared.length > 0 ? [[t("consents.records"), shared.map((record) => record.hospital_name).join(", ")] as const] : []),
    [t("consents.expires"), time(consent.expires_at)],
    [t("consents.erased"), time(consent.erase_at)],
    [t("consents.asked_at"), time(consent.created_at)],
    ...(status === "requested" ? [[t("consents.answer_until"), time(consent.answer_until)] as const] : []),
    ...(consent.decided_at ? [[t("consents.decided_at"), time(consent.decided_at)] as const] : []),
    ...(consent.ended_at ? [[t("consents.ended_at"), time(consent.ended_at)] as const] : []),
  ];
  return (
    <div className={classes.choices}>
      <DescriptionList items={facts} />
    </div>
  );
}
