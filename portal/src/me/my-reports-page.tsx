// A patient's own reports.
import layout from "../design/layout.module.css";
import { useSay } from "../messages/index.ts";
import { ReportList } from "../reports/report-list.tsx";
import { MyPage } from "./record.tsx";

export function MyReportsPage() {
  const say = useSay();
  return (
    <MyPage title={say("me.my_reports")}>
      {({ patient_id }) => (
        <>
          <ReportList key={patient_id} patientId={patient_id} linkTo="/me/reports/$reportId" />
          <p className={layout.muted}>{say("me.questions")}</p>
        </>
      )}
    </MyPage>
  );
}
