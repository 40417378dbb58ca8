// A patient's own values over time: charts without limits, scores and alarms.
import { useNavigate, useSearch } from "@tanstack/react-router";
import layout from "../design/layout.module.css";
import { useSay } from "../messages/index.ts";
import type { PatientSummary } from "../patients/api.ts";
import { useZone } from "../reports/api.ts";
import { VitalsCharts } from "../vitals/vitals-charts.tsx";
import classes from "./me.module.css";
import { MyPage } from "./record.tsx";

export function MyVitalsPage() {
  const say = useSay();
  return (
    <MyPage title={say("me.my_values")}>
      {(record) => (
        <>
          <p className={classes.plain}>{say("me.vitals_text")}</p>
          <Charts key={record.patient_id} record={record} />
          <p className={layout.muted}>
            {say("common.decision_support")}. {say("me.questions")}
          </p>
        </>
      )}
    </MyPage>
  );
}

function Charts({ record: { patient_id, hospital_id } }: { record: PatientSummary }) {
  const zone = useZone(hospital_id);
  const search = useSearch({ from: "/house/me/vitals" });
  const navigate = useNavigate({ from: "/me/vitals" });
  return (
    <VitalsCharts
      plain
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
