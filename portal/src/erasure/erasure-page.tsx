// One request for erasure: its state, the decision, the legal hold, and the certificate at the end.
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useHospitalTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card, DescriptionList, Page } from "../platform/design/page.tsx";
import { QueryBoundary, RefetchError } from "../platform/design/query-states.tsx";
import { usePageZone } from "../platform/design/screen-zone.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import { type Erasure, useErasure } from "./api.ts";
import { CertificateCard } from "./certificate-card.tsx";
import { Decision } from "./decision.tsx";
import { ErasureStateText } from "./erasure-state.tsx";
import { PatientHold } from "./hold-card.tsx";
import { StaffName } from "./staff-name.tsx";

export function ErasurePage() {
  const t = useTranslation();
  const { erasureId } = useParams({ from: "/signed-in/admin/erasures/$erasureId" });
  const query = useErasure(erasureId);
  return (
    <Page key={erasureId} title={t("erasure.erasure")}>
      {query.data && <RefetchError error={query.error} />}
      <QueryBoundary query={query}>{(erasure) => <ErasureView erasure={erasure} />}</QueryBoundary>
    </Page>
  );
}

function ErasureView({ erasure }: { erasure: Erasure }) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(erasure.hospital_id);
  usePageZone(zone);
  const { state, patient_id } = erasure;
  const isUndecided = state === "requested";
  const isRestricted = state === "restricted";
  return (
    <>
      <Card title={t("erasure.state")}>
        <div className={layout.stack}>
          <p role="status">
            <strong>
              <ErasureStateText erasure={erasure} zone={zone} />
            </strong>
          </p>
          {isRestricted && <p className={layout.muted}>{t("erasure.recalculated")}</p>}
          {(isUndecided || isRestricted) && <Decision erasure={erasure} />}
        </div>
      </Card>
      <Card title={t("erasure.facts")}>
        <Facts erasure={erasure} zone={zone} />
      </Card>
      {(isUndecided || isRestricted) && (
        <Card title={t("erasure.hold_title")}>
          <PatientHold patientId={patient_id} />
        </Card>
      )}
      {state === "erased" && <CertificateCard erasureId={erasure.erasure_id} zone={zone} />}
    </>
  );
}

function Facts({ erasure, zone }: { erasure: Erasure; zone: string | undefined }) {
  const t = useTranslation();
  const { hospital_id, patient_id, state, reason, decision_reason, decided_at } = erasure;
  const isReadable = state === "requested" || state === "rejected";
  const facts: (readonly [string, ReactNode])[] = [
    [
      t("erasure.patient"),
      isReadable ? (
        <Link key="patient" to="/patients/$patientId" params={{ patientId: patient_id }}>
          {t("erasure.open_patient")}
        </Link>
      ) : (
        <code key="patient">{patient_id}</code>
      ),
    ],
    [t("erasure.requested_at"), formatDateTime(erasure.requested_at, zone)],
    [t("erasure.requested_by"), <StaffName key="by" hospitalId={hospital_id} userId={erasure.requested_by} />],
    [t("erasure.reason"), reason ?? t(state === "erased" ? "erasure.reason_erased" : "common.unknown")],
  ];
  const ofDecision: (readonly [string, ReactNode])[] =
    decided_at === null
      ? []
      : [
          [t("erasure.decided_at"), formatDateTime(decided_at, zone)],
          [t("erasure.decided_by"), <StaffName key="decided" hospitalId={hospital_id} userId={erasure.decided_by} />],
          ...(decision_reason ? [[t("erasure.decision_reason"), decision_reason] as const] : []),
        ];
  return <DescriptionList items={[...facts, ...ofDecision]} />;
}
