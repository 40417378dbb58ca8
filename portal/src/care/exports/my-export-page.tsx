// Exports of one's own record.
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { MyPage } from "../../patients/own-record/my-page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { RecordExports } from "./record-exports.tsx";

export function MyExportPage() {
  const t = useTranslation();
  return (
    <MyPage title={t("exports.mine")}>
      {({ patient_id, hospital_id }) => <OwnExports key={patient_id} patientId={patient_id} hospitalId={hospital_id} />}
    </MyPage>
  );
}

function OwnExports({ patientId, hospitalId }: { patientId: string; hospitalId: string }) {
  const zone = useHospitalTimeZone(hospitalId);
  return <RecordExports patientId={patientId} zone={zone} />;
}
