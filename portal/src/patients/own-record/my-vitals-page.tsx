// Charts of a patient's own vital signs, without limits, scores and alarms.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { VitalsCharts } from "../../monitoring/vitals/vitals-charts.tsx";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import layout from "../../platform/design/layout.module.css";
import { useTranslation } from "../../platform/messages/translate.ts";
import type { PatientSummary } from "../api.ts";
import classes from "./me.module.css";
import { MyPage } from "./my-page.tsx";

export function MyVitalsPage() {
  const t = useTranslation();
  return (
    <MyPage title={t("me.my_values")}>
      {(record) => (
        <>
          <p className={classes.plain}>{t("me.vitals_text")}</p>
          <Charts key={record.patient_id} record={record} />
          <p className={layout.muted}>
            {t("common.decision_support")}. {t("me.questions")}
          </p>
        </>
      )}
    </MyPage>
  );
}

function Charts({ record: { patient_id, hospital_id } }: { record: PatientSummary }) {
  const zone = useHospitalTimeZone(hospital_id);
  const search = useSearch({ from: "/signed-in/me/vitals" });
  const navigate = useNavigate({ from: "/me/vitals" });
  return (
    <VitalsCharts
      isPlain
      patientId={patient_id}
      zone={zone}
      search={search}
      onSearch={({ code, range, from, to, view }) =>
        void navigate({
          search: {
            ...(code && { code }),
            ...(range && { range }),
            ...(from && { from }),
            ...(to && { to }),
            ...(view && { view }),
          },
          replace: true,
        })
      }
    />
  );
}
