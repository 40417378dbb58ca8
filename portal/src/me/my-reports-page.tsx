// A patient's own reports.
import { useSay } from "../messages/index.ts";
import { ReportList } from "../reports/report-list.tsx";
import classes from "./me.module.css";
import { MyPage } from "./record.tsx";

export function MyReportsPage() {
  const say = useSay();
  return (
    <MyPage title={say("me.my_reports")}>
      {({ patient_id }) => (
        <>
          <ReportList key={patient_id} patientId={patient_id} linkTo="/me/reports/$reportId" />
          <p className={classes.muted}>{say("me.questions")}</p>
        </>
      )}
    </MyPage>
  );
}
