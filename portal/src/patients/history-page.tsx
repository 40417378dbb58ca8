// What is known of a patient besides measurements: history and symptoms, intakes, who looks after them, their login.
import { useParams } from "@tanstack/react-router";
import layout from "../design/layout.module.css";
import { Page } from "../design/page.tsx";
import { useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { CareTeam } from "./care-team.tsx";
import { HistoryCard } from "./history-card.tsx";
import { Intakes } from "./intakes.tsx";
import { Logins } from "./logins.tsx";
import classes from "./overview.module.css";
import { usePatientRecord, usePatientShown } from "./shown-patient.ts";

/** Who may say who looks after a patient, and hand out claim codes; the API decides. */
const DESK: readonly string[] = ["nurse", "hospital_admin", "admin"];

export function HistoryPage() {
  const say = useSay();
  const { role } = useMe();
  const { patientId } = useParams({ from: "/house/patients/$patientId/history" });
  const { number, zone } = usePatientShown(patientId);
  const { data } = usePatientRecord(patientId);
  const atDesk = DESK.includes(role);
  return (
    <Page title={say("record.history")} windowTitle={say("record.window.history", { n: number })}>
      <div className={classes.columns}>
        <div className={layout.stack}>
          <HistoryCard patientId={patientId} />
          <Intakes patientId={patientId} zone={zone} />
        </div>
        <div className={layout.stack}>
          {data && <CareTeam patientId={patientId} hospitalId={data.data.hospital_id} zone={zone} mayChange={atDesk} />}
          {atDesk && <Logins patientId={patientId} zone={zone} />}
        </div>
      </div>
    </Page>
  );
}
