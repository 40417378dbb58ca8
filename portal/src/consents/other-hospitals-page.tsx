// What a hospital asked of a patient, and the records of other hospitals that the patient shares with it.
import { Button } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { usePatientNumberAndZone } from "../patients/record/use-patient-record.ts";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { LinkButton } from "../platform/design/link-button.tsx";
import { Card, Page } from "../platform/design/page.tsx";
import { QueryBoundary, RefetchError } from "../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { type Consent, useConsents } from "./api.ts";
import { formatDates, kindName, StatusBadge } from "./consent-facts.tsx";
import classes from "./consents.module.css";
import { EnterCodeDialog } from "./enter-code-dialog.tsx";

export function OtherHospitalsPage() {
  const t = useTranslation();
  const { role } = useMe();
  const [isEntering, setIsEntering] = useState(false);
  const { patientId } = useParams({ from: "/signed-in/patients/$patientId/other-hospitals" });
  const { number, zone } = usePatientNumberAndZone(patientId);
  return (
    <Page
      title={t("consents.others")}
      windowTitle={t("consents.others_of", { n: number })}
      actions={
        role !== "admin" && (
          <>
            <Button variant="default" onClick={() => setIsEntering(true)}>
              {t("consents.enter_code")}
            </Button>
            <LinkButton to="/patients/$patientId/other-hospitals/new" params={{ patientId }}>
              {t("consents.ask")}
            </LinkButton>
          </>
        )
      }
    >
      <p className={layout.muted}>{t("consents.others_text")}</p>
      <Card title={t("consents.requests")}>
        <Requests patientId={patientId} zone={zone} />
      </Card>
      {isEntering && <EnterCodeDialog patientId={patientId} onClose={() => setIsEntering(false)} />}
    </Page>
  );
}

function Requests({ patientId, zone }: { patientId: string; zone: string | undefined }) {
  const t = useTranslation();
  const query = useConsents({ patient_id: patientId });
  return (
    <QueryBoundary query={query}>
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items);
        return (
          <>
            {items.length === 0 && <p>{t("consents.none_asked")}</p>}
            <ul className={layout.bare}>
              {items.map((consent) => (
                <RequestItem key={consent.consent_id} consent={consent} zone={zone} />
              ))}
            </ul>
            <RefetchError error={query.error} />
            {query.hasNextPage && (
              <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                {t("common.show_more")}
              </Button>
            )}
          </>
        );
      }}
    </QueryBoundary>
  );
}

function RequestItem({ consent, zone }: { consent: Consent; zone: string | undefined }) {
  const t = useTranslation();
  const { consent_id: consentId, patient_id: patientId, purpose, kinds, reason, requested_by_name, status } = consent;
  const requestId = consent.document_request_id;
  const asked = `${t("consents.asked_at")} ${formatDateTime(consent.created_at, zone)}`;
  const until = status === "requested" ? consent.answer_until : consent.expires_at;
  const isRunning = status === "requested" || status === "granted";
  return (
    <li className={classes.item}>
      <div className={layout.line}>
        <strong>{translateCode("consents.purpose", purpose)}</strong>
        <StatusBadge consent={consent} />
      </div>
      <p>{kinds.map((kind) => kindName(kind, t)).join(", ")}</p>
      <p>
        {t("consents.dates")}: {formatDates(consent, zone, t)}
      </p>
      {reason && (
        <p>
          {t("consents.reason")}: {reason}
        </p>
      )}
      <p className={layout.note}>
        {[
          asked,
          requested_by_name,
          isRunning &&
            `${t(status === "requested" ? "consents.answer_until" : "consents.expires")} ${formatDateTime(until, zone)}`,
          consent.ended_at && `${t("consents.ended_at")} ${formatDateTime(consent.ended_at, zone)}`,
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      {consent.practitioner_id !== null && <p>{t("consents.one_reader")}</p>}
      {requestId !== null && (
        <p>
          <Link to="/requests/$requestId" params={{ requestId }}>
            {t("requests.open")}
          </Link>
        </p>
      )}
      {consent.shared.map(({ patient_id: recordId, hospital_name: hospital }) => (
        <p key={recordId}>
          <Link to="/patients/$patientId/other-hospitals/$consentId/$recordId" params={{ patientId, consentId, recordId }}>
            {t("consents.open_shared", { hospital })}
          </Link>
        </p>
      ))}
    </li>
  );
}
