// One emergency access: its facts, its end, and for privacy officers whether the patient was notified.
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card, DescriptionList, Page } from "../platform/design/page.tsx";
import { QueryBoundary, RefetchError } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { AccessState, ReaderName, RecordLink } from "./access-facts.tsx";
import { type EmergencyAccess, useEmergencyAccess } from "./api.ts";
import classes from "./emergency.module.css";
import { EndButton } from "./end-button.tsx";
import { NoticeDelayCard } from "./notice-delay-card.tsx";
import { useRemainingSeconds } from "./use-remaining.ts";

export function EmergencyAccessPage() {
  const t = useTranslation();
  const { accessId } = useParams({ from: "/signed-in/emergency/$accessId" });
  const query = useEmergencyAccess(accessId);
  return (
    <Page key={accessId} title={t("emergency.one")}>
      <p>
        <Link to="/emergency">{t("emergency.all")}</Link>
      </p>
      <QueryBoundary query={query}>
        {(access) => (
          <>
            <AccessCard access={access} />
            <RefetchError error={query.error} />
          </>
        )}
      </QueryBoundary>
    </Page>
  );
}

function AccessCard({ access }: { access: EmergencyAccess }) {
  const t = useTranslation();
  const navigate = useNavigate();
  const { user_id, hospital, is_privacy_officer } = useMe();
  const isRunning = useRemainingSeconds(access) > 0;
  const isOfHospital = access.record_hospital_id === hospital?.id;
  const { patient_notified_at: notifiedAt } = access;
  const facts: (readonly [string, ReactNode])[] = [
    [t("emergency.status"), <AccessState key="state" access={access} />],
    [t("emergency.reader"), <ReaderName key="reader" access={access} />],
    [t("emergency.record"), <RecordLink key="record" access={access} />],
    [t("emergency.started"), formatDateTime(access.started_at)],
    [t("emergency.ends"), formatDateTime(access.ends_at)],
    [t("emergency.second_step"), t(access.second_step ? "common.yes" : "emergency.reviewed_first")],
  ];
  const ofOfficer: typeof facts = is_privacy_officer
    ? [[t("emergency.notified"), notifiedAt === null ? t("emergency.not_notified") : formatDateTime(notifiedAt)]]
    : [];
  return (
    <>
      <Card title={t("emergency.facts")}>
        <DescriptionList items={[...facts, ...ofOfficer]} />
        <div className={layout.acts}>
          {isRunning && access.user_id === user_id && (
            <EndButton access={access} onEnded={() => void navigate({ to: "/emergency" })} />
          )}
          {is_privacy_officer && <Link to="/privacy">{t("emergency.to_reviews")}</Link>}
        </div>
      </Card>
      <Card title={t("emergency.reason")}>
        <p className={classes.text}>{access.reason}</p>
      </Card>
      {is_privacy_officer && isOfHospital && <NoticeDelayCard patientId={access.patient_id} />}
    </>
  );
}
