// A patient asks for the erasure of the own record, and sees how far it is.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useHospitalTimeZone } from "../organization/hospitals/use-hospitals.ts";
import type { PatientSummary } from "../patients/api.ts";
import { MyPage } from "../patients/own-record/my-page.tsx";
import layout from "../platform/design/layout.module.css";
import { Card, DescriptionList } from "../platform/design/page.tsx";
import { QueryBoundary, RefetchError } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { type Erasure, newestErasureQuery, requestErasure } from "./api.ts";
import { OwnErasureStateText } from "./erasure-state.tsx";
import { ReasonDialog } from "./reason-dialog.tsx";

export function MyErasurePage() {
  const t = useTranslation();
  return <MyPage title={t("erasure.my_title")}>{(record) => <OwnErasure key={record.patient_id} record={record} />}</MyPage>;
}

function OwnErasure({ record: { patient_id, hospital_id } }: { record: PatientSummary }) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(hospital_id);
  const query = useQuery(newestErasureQuery(patient_id));
  return (
    <Card title={t("erasure.my_state")}>
      <QueryBoundary query={query}>
        {(erasure) => (
          <div className={layout.stack}>
            {erasure ? <OwnRequest erasure={erasure} zone={zone} /> : <p>{t("erasure.my_none")}</p>}
            {(erasure === null || erasure.state === "rejected") && <AskForErasure patientId={patient_id} />}
            <RefetchError error={query.error} />
          </div>
        )}
      </QueryBoundary>
    </Card>
  );
}

function OwnRequest({ erasure, zone }: { erasure: Erasure; zone: string | undefined }) {
  const t = useTranslation();
  const { reason, decision_reason } = erasure;
  const reasons: (readonly [string, string])[] = [
    ...(reason ? [[t("erasure.my_reason"), reason] as const] : []),
    ...(decision_reason ? [[t("erasure.my_answer"), decision_reason] as const] : []),
  ];
  return (
    <>
      <p role="status">
        <OwnErasureStateText erasure={erasure} zone={zone} />
      </p>
      <DescriptionList items={reasons} />
    </>
  );
}

function AskForErasure({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const [isAsking, setIsAsking] = useState(false);
  return (
    <div>
      <p>{t("erasure.my_text")}</p>
      <Button variant="outline" color="red" onClick={() => setIsAsking(true)}>
        {t("erasure.my_ask")}
      </Button>
      {isAsking && (
        <ReasonDialog
          title={t("erasure.my_ask")}
          submitLabel={t("erasure.my_send")}
          reasonLabel={t("erasure.my_reason")}
          conflict={t("erasure.request_conflict")}
          onSubmit={(reason) => requestErasure(patientId, reason)}
          onClose={() => setIsAsking(false)}
        >
          <p>{t("erasure.my_ask_text")}</p>
        </ReasonDialog>
      )}
    </div>
  );
}
