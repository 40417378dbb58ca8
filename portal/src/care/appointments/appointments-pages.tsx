// Appointments of one's own record, and of a patient's record for staff.
import { useParams } from "@tanstack/react-router";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { MyPage } from "../../patients/own-record/my-page.tsx";
import { usePatientNumberAndZone, usePatientRecord } from "../../patients/record/use-patient-record.ts";
import { Page } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { Appointments } from "./appointment-list.tsx";

export function MyAppointmentsPage() {
  const t = useTranslation();
  return (
    <MyPage title={t("appointments.title")}>
      {({ patient_id, hospital_id }) => <OwnAppointments key={patient_id} patientId={patient_id} hospitalId={hospital_id} />}
    </MyPage>
  );
}

function OwnAppointments({ patientId, hospitalId }: { patientId: string; hospitalId: string }) {
  const zone = useHospitalTimeZone(hospitalId);
  return <Appointments patientId={patientId} hospitalId={hospitalId} zone={zone} isOwn />;
}

export function PatientAppointmentsPage() {
  const t = useTranslation();
  const { patientId } = useParams({ from: "/signed-in/patients/$patientId/appointments" });
  const { number, zone } = usePatientNumberAndZone(patientId);
  const record = usePatientRecord(patientId).data?.data;
  return (
    <Page title={t("appointments.title")} windowTitle={t("appointments.of_patient", { n: number })}>
      {record && (
        <Appointments
          key={record.patient_id}
          patientId={record.patient_id}
          hospitalId={record.hospital_id}
          zone={zone}
          isOwn={false}
        />
      )}
    </Page>
  );
}
