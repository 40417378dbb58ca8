// One privacy review: the access, the question or reason, and the form that closes it.
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { NoticeDelayCard } from "../emergency/notice-delay-card.tsx";
import { useColleagueName } from "../organization/hospitals/use-colleagues.ts";
import { useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { accessMessageKey } from "../patients/own-record/access-log.ts";
import { formatDateTime } from "../platform/design/format.ts";
import { Card, DescriptionList, Page } from "../platform/design/page.tsx";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { type Review, useReview } from "./api.ts";
import { CloseForm } from "./close-form.tsx";
import classes from "./privacy.module.css";
import { SubjectName } from "./subject-name.tsx";

export function ReviewPage() {
  const t = useTranslation();
  const { reviewId } = useParams({ from: "/signed-in/privacy/$reviewId" });
  const query = useReview(reviewId);
  return (
    <Page key={reviewId} title={t("privacy.review")}>
      <p>
        <Link to="/privacy">{t("privacy.all_reviews")}</Link>
      </p>
      <QueryBoundary query={query}>{(review) => <ReviewView review={review} />}</QueryBoundary>
    </Page>
  );
}

function ReviewView({ review }: { review: Review }) {
  const t = useTranslation();
  const isQuestion = review.kind !== "emergency";
  return (
    <>
      <Card title={t("privacy.facts")}>
        <AccessFacts review={review} />
      </Card>
      <Card title={t(isQuestion ? "privacy.question" : "privacy.emergency_reason")}>
        <p className={classes.text}>{review.text || t("privacy.no_text")}</p>
      </Card>
      {review.status === "open" ? <Closing review={review} /> : <Result review={review} />}
      <NoticeDelayCard patientId={review.patient_id} />
    </>
  );
}

function AccessFacts({ review }: { review: Review }) {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const { event } = review;
  const facts: (readonly [string, ReactNode])[] = [
    [t("privacy.kind"), t(`privacy.kind.${review.kind}`)],
    ...(review.kind === "emergency" ? [] : [[t("privacy.opened"), formatDateTime(review.opened_at, zone)] as const]),
    [t("privacy.subject"), <SubjectName key="subject" review={review} />],
    [
      t("privacy.patient"),
      <Link key="patient" to="/patients/$patientId" params={{ patientId: review.patient_id }}>
        {t("privacy.open_patient")}
      </Link>,
    ],
  ];
  const ofEvent: (readonly [string, ReactNode])[] = event
    ? [
        [t("privacy.when"), formatDateTime(event.recorded, zone)],
        [t("privacy.action"), t("privacy.action_quoted", { action: t(accessMessageKey(event)) })],
        [t("privacy.basis"), event.basis === null ? t("privacy.no_basis") : translateCode("audit.basis", event.basis)],
        [t("privacy.purpose"), event.purpose === null ? t("privacy.no_basis") : translateCode("audit.purpose", event.purpose)],
      ]
    : [];
  const ofEmergency: typeof facts =
    review.kind === "emergency"
      ? [
          [
            t("emergency.title"),
            <Link key="access" to="/emergency/$accessId" params={{ accessId: review.ref_id }}>
              {t("emergency.to_access")}
            </Link>,
          ],
          [t("emergency.started"), formatDateTime(review.opened_at, zone)],
          [t("emergency.second_step"), t(review.is_flagged ? "emergency.reviewed_first" : "common.yes")],
        ]
      : [];
  return <DescriptionList items={[...facts, ...ofEmergency, ...ofEvent]} />;
}

function Closing({ review }: { review: Review }) {
  const t = useTranslation();
  const { user_id } = useMe();
  return (
    <Card title={t("privacy.close")}>
      {review.subject_user_id === user_id ? <p>{t("privacy.own_access")}</p> : <CloseForm review={review} />}
    </Card>
  );
}

function Result({ review: { outcome, note, closed_at, closed_by, hospital_id } }: { review: Review }) {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const nameOf = useColleagueName(hospital_id);
  return (
    <Card title={t("privacy.result")}>
      <DescriptionList
        items={[
          [t("privacy.outcome"), outcome && t(`privacy.outcome.${outcome}`)],
          [t("privacy.closed"), closed_at && formatDateTime(closed_at, zone)],
          [t("privacy.closed_by"), nameOf(closed_by) ?? t("privacy.somebody")],
        ]}
      />
      <p className={classes.text}>{note}</p>
    </Card>
  );
}
