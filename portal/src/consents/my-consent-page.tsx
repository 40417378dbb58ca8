// One consent for its person: what is asked, the answer, and its end.
import { Button } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { type DocumentRequest, useRequest } from "../document-requests/api.ts";
import { MyRequest } from "../document-requests/my-request.tsx";
import { useHospitalTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { Problem, toProblem } from "../platform/api/problem.ts";
import { ConfirmDialog } from "../platform/design/confirm-dialog.tsx";
import layout from "../platform/design/layout.module.css";
import { Notice } from "../platform/design/notice.tsx";
import { Card, Page } from "../platform/design/page.tsx";
import { isClosed, QueryBoundary } from "../platform/design/query-states.tsx";
import { usePageZone } from "../platform/design/screen-zone.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import { type Answer, answerConsent, type Consent, useConsent } from "./api.ts";
import { ConsentFacts, consentTitle } from "./consent-facts.tsx";
import { GrantForm } from "./grant-form.tsx";

export function MyConsentPage() {
  const t = useTranslation();
  const { consentId } = useParams({ from: "/signed-in/me/consents/$consentId" });
  const query = useConsent(consentId);
  return (
    <Page key={consentId} title={query.data && !isClosed(query) ? consentTitle(query.data, t) : t("consents.one")}>
      <p>
        <Link to="/me/consents">{t("consents.all_mine")}</Link>
      </p>
      <QueryBoundary query={query}>{(consent) => <LoadedConsent consent={consent} />}</QueryBoundary>
    </Page>
  );
}

/** Its request is read first: it decides what the person is asked. */
function LoadedConsent({ consent }: { consent: Consent }) {
  return consent.document_request_id === null ? (
    <ConsentView consent={consent} request={null} />
  ) : (
    <ConsentOfRequest consent={consent} requestId={consent.document_request_id} />
  );
}

function ConsentOfRequest({ consent, requestId }: { consent: Consent; requestId: string }) {
  const query = useRequest(requestId);
  return <QueryBoundary query={query}>{(request) => <ConsentView consent={consent} request={request} />}</QueryBoundary>;
}

/** `request`: the document request that the consent is for; null for one of other data. */
type ViewProps = { consent: Consent; request: DocumentRequest | null };

const DONE = { grant: "consents.granted_done", deny: "consents.denied_done", revoke: "consents.ended_done" } as const;

function ConsentView({ consent, request }: ViewProps) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(consent.hospital_id);
  usePageZone(zone);
  const [notice, setNotice] = useState<string | null>(null);
  /** What another answer has changed is said beside the consent as it is now. @throws Problem */
  async function answer(choice: Answer): Promise<void> {
    setNotice(null);
    try {
      await answerConsent(consent, choice);
      setNotice(t(request && choice.step === "grant" ? "requests.agreed_done" : DONE[choice.step]));
    } catch (error) {
      const { code, errorId } = toProblem(error);
      if (code === "record_not_shareable") throw new Problem(0, code, t("consents.not_shareable"), errorId);
      if (code !== "consent_changed") throw error;
      setNotice(t("consents.changed"));
    }
  }
  return (
    <>
      {notice !== null && <Notice key={notice} text={notice} />}
      <Card>
        {consent.status === "requested" && <Question consent={consent} request={request} />}
        <ConsentFacts consent={consent} zone={zone} />
      </Card>
      {request && <MyRequest request={request} zone={zone} />}
      {consent.status === "requested" && <RequestActions consent={consent} request={request} zone={zone} answer={answer} />}
      {consent.status === "granted" && <EndAction consent={consent} answer={answer} />}
      {consent.shared.length > 0 && (
        <p>
          <Link to="/me/access">{t("consents.who_looked")}</Link>
        </p>
      )}
    </>
  );
}

function Question({ consent: { hospital_name: hospital }, request }: ViewProps) {
  const t = useTranslation();
  if (!request) return <p>{t("consents.asks", { hospital })}</p>;
  const asked = request.hospital?.name;
  return <p>{asked === undefined ? t("requests.asks_any", { hospital }) : t("requests.asks_named", { hospital, asked })}</p>;
}

type ActionProps = { consent: Consent; answer: (answer: Answer) => Promise<void> };

type RequestActionProps = ActionProps & { request: DocumentRequest | null; zone: string | undefined };

function RequestActions({ consent, request, zone, answer }: RequestActionProps) {
  const t = useTranslation();
  const [isDenying, setIsDenying] = useState(false);
  return (
    <Card title={t("consents.answer")}>
      <GrantForm
        key={consent.version}
        consent={consent}
        request={request}
        zone={zone}
        onGrant={(grant) => answer({ step: "grant", grant })}
      />
      <div className={layout.acts}>
        <Button variant="default" color="red" onClick={() => setIsDenying(true)}>
          {t("consents.deny")}…
        </Button>
      </div>
      {isDenying && (
        <ConfirmDialog
          title={t("consents.deny_title")}
          confirmLabel={t("consents.deny")}
          onConfirm={() => answer({ step: "deny" })}
          onClose={() => setIsDenying(false)}
        >
          <p>{t("consents.deny_text", { hospital: consent.hospital_name })}</p>
        </ConfirmDialog>
      )}
    </Card>
  );
}

function EndAction({ consent, answer }: ActionProps) {
  const t = useTranslation();
  const [isEnding, setIsEnding] = useState(false);
  return (
    <div className={layout.acts}>
      <Button color="red" onClick={() => setIsEnding(true)}>
        {t("consents.end")}…
      </Button>
      {isEnding && (
        <ConfirmDialog
          title={t("consents.end_title")}
          confirmLabel={t("consents.end")}
          onConfirm={() => answer({ step: "revoke" })}
          onClose={() => setIsEnding(false)}
        >
          <p>{t("consents.end_text", { hospital: consent.hospital_name })}</p>
        </ConfirmDialog>
      )}
    </div>
  );
}
