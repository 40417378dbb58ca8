// Clinical information besides measurements: history, intakes, care team and linked accounts.
import { useParams } from "@tanstack/react-router";
import { useMe } from "../../accounts/session/use-session.ts";
import layout from "../../platform/design/layout.module.css";
import { Page } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { CareTeam } from "./care-team.tsx";
import { HistoryCard } from "./history-card.tsx";
import { Intakes } from "./intakes.tsx";
import { Logins } from "./logins.tsx";
import classes from "./overview.module.css";
import { useIsReadOnly, usePatientNumberAndZone, usePatientRecord } from "./use-patient-record.ts";

/** Who may manage the care team and issue access codes; the API enforces it. */
const RECORD_MANAGER_ROLES: readonly string[] = ["nurse", "hospital_admin", "admin"];

export function PatientHistoryPage() {
  const t = useTranslation();
  const { role } = useMe();
  const { patientId } = useParams({ from: "/signed-in/patients/$patientId/history" });
  const { number, zone } = usePatientNumberAndZone(patientId);
  const { data } = usePatientRecord(patientId);
  const isReadOnly = useIsReadOnly(patientId);
  const canManageRecord = RECORD_MANAGER_ROLES.includes(role) && !isReadOnly;
  return (
    <Page title={t("record.history")} windowTitle={t("record.window.history", { n: number })}>
      <div className={classes.columns}>
        <div className={layout.stack}>
          <HistoryCard patientId={patientId} />
          <Intakes patientId={patientId} zone={zone} />
        </div>
        <div className={layout.stack}>
          {data && <CareTeam patientId={patientId} hospitalId={data.data.hospital_id} zone={zone} canChange={canManageRecord} />}
          {canManageRecord && <Logins patientId={patientId} zone={zone} />}
        </div>
      </div>
    </Page>
  );
}
