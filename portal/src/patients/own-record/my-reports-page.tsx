// A patient's own reports.
import layout from "../../platform/design/layout.module.css";
import { useTranslation } from "../../platform/messages/translate.ts";
import { ReportList } from "../../reports/report-list.tsx";
import { MyPage } from "./my-page.tsx";

export function MyReportsPage() {
  const t = useTranslation();
  return (
    <MyPage title={t("me.my_reports")}>
      {({ patient_id }) => (
        <>
          <ReportList key={patient_id} patientId={patient_id} linkTo="/me/reports/$reportId" />
          <p className={layout.muted}>{t("me.questions")}</p>
        </>
      )}
    </MyPage>
  );
}
