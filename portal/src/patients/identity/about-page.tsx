// About a patient: identity and its correction, the state of the record, and the history of both.
import { Button } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useMe } from "../../accounts/session/use-session.ts";
import { PatientGuardiansCard } from "../../consents/guardians/patient-guardians-card.tsx";
import { NoticeDelayCard } from "../../emergency/notice-delay-card.tsx";
import { PatientErasureCard } from "../../erasure/patient-erasure-card.tsx";
import layout from "../../platform/design/layout.module.css";
import { Card, Page } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import overview from "../record/overview.module.css";
import { useIsReadOnly, usePatientNumberAndZone, usePatientRecord } from "../record/use-patient-record.ts";
import { ChangesCard } from "./changes-card.tsx";
import { IdentityFacts } from "./identity-facts.tsx";
import { IdentityForm } from "./identity-form.tsx";
import { RecordStateCard } from "./record-state-card.tsx";
import { useEditing } from "./use-editing.ts";

export function AboutPatientPage() {
  const t = useTranslation();
  const { patientId } = useParams({ from: "/signed-in/patients/$patientId/about" });
  const { number, zone } = usePatientNumberAndZone(patientId);
  const record = usePatientRecord(patientId);
  const { role, hospital, is_privacy_officer } = useMe();
  const isReadOnly = useIsReadOnly(patientId);
  const canDelay = is_privacy_officer && record.data?.data.hospital_id === hospital?.id;
  return (
    <Page title={t("record.tab.about")} windowTitle={t("identity.window", { n: number })}>
      <div className={overview.columns}>
        <div className={layout.stack}>
          <IdentityCard patientId={patientId} />
          <ChangesCard
            patientId={patientId}
            zone={zone}
            renderActor={({ changed_by: { kind, role } }) =>
              kind === "app" ? t("identity.a_program") : translateCode("role", role)
            }
          />
        </div>
        <div className={layout.stack}>
          {!isReadOnly && <QueryBoundary query={record}>{(versioned) => <RecordStateCard {...versioned} />}</QueryBoundary>}
          {!isReadOnly && role !== "admin" && <PatientGuardiansCard patientId={patientId} zone={zone} />}
          {(role === "hospital_admin" || role === "admin") && <PatientErasureCard patientId={patientId} zone={zone} />}
          {canDelay && <NoticeDelayCard patientId={patientId} />}
        </div>
      </div>
    </Page>
  );
}

function IdentityCard({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const record = usePatientRecord(patientId);
  const isReadOnly = useIsReadOnly(patientId);
  const { editing, setEditing, editButton } = useEditing();
  return (
    <Card
      title={t("patients.who")}
      actions={
        !editing &&
        !isReadOnly &&
        record.data && (
          <Button ref={editButton} variant="default" onClick={() => setEditing(record.data)}>
            {t("identity.edit")}
          </Button>
        )
      }
    >
      {editing ? (
        <IdentityForm {...editing} isStaff onDone={() => setEditing(null)} />
      ) : (
        <QueryBoundary query={record}>{({ data }) => <IdentityFacts patient={data} />}</QueryBoundary>
      )}
    </Card>
  );
}
