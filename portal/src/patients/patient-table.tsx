// Patients as a table, or cards on a phone, with what is live of each.
import { Link } from "@tanstack/react-router";
import { type Column, Table } from "../design/data-table.tsx";
import { PriorityBadge, shownAs } from "../design/priority.tsx";
import scores from "../design/score.module.css";
import { age, date } from "../design/time.ts";
import { shownScore, shownUpdate, sortedByUrgency } from "../live/known.ts";
import { useLink, useLivePatient, useServerNow } from "../live/use-live.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { nameOf, type PatientSummary } from "./api.ts";
import classes from "./patient-table.module.css";

type PatientTableProps = {
  label: string;
  patients: readonly PatientSummary[];
  wards: ReadonlyMap<string, string>;
  /** Whether anything live is known of them. */
  live?: boolean;
};

export function PatientTable({ label, patients, wards, live = false }: PatientTableProps) {
  const say = useSay();
  const columns: Column<PatientSummary>[] = [
    { label: say("patients.patient"), cell: (patient) => <Name patient={patient} /> },
    { label: say("patients.date_of_birth"), cell: (patient) => <Birth patient={patient} /> },
    { label: say("patients.ward"), cell: ({ ward_id }) => (ward_id ? wards.get(ward_id) : null) ?? say("common.none") },
    ...(live
      ? [
          { label: "NEWS2", cell: ({ patient_id }: PatientSummary) => <Score patientId={patient_id} /> },
          { label: say("patients.alarm"), cell: ({ patient_id }: PatientSummary) => <Alarm patientId={patient_id} /> },
          { label: say("patients.updated"), cell: ({ patient_id }: PatientSummary) => <Updated patientId={patient_id} /> },
        ]
      : [
          {
            label: say("patients.monitoring"),
            cell: ({ monitoring }: PatientSummary) => sayOf("patients.monitoring", monitoring),
          },
        ]),
  ];
  return <Table label={label} columns={columns} items={patients} keyOf={({ patient_id }) => patient_id} />;
}

function Birth({ patient: { date_of_birth: born, gender } }: { patient: PatientSummary }) {
  return [born && date(born, "UTC"), gender !== "unknown" && sayOf("patients.gender", gender)].filter(Boolean).join(" · ");
}

function Name({ patient }: { patient: PatientSummary }) {
  const say = useSay();
  return (
    <span>
      <Link to="/patients/$patientId" params={{ patientId: patient.patient_id }} className={classes.name}>
        {nameOf(patient)}
      </Link>{" "}
      <span className={classes.number}>
        {say("common.number", { n: patient.patient_number })}
        {!patient.is_active && ` · ${say("patients.inactive")}`}
      </span>
    </span>
  );
}

function Score({ patientId }: { patientId: string }) {
  const say = useSay();
  const live = useLivePatient(patientId);
  const { status } = useLink();
  const now = useServerNow(5_000);
  const shown = shownScore(live, { now, link: status });
  if (shown.kind !== "score") return <span title={say("patients.no_score")}>—</span>;
  return (
    <span className={`${scores.band} ${classes.score}`} data-band={shown.band}>
      {shown.score}
    </span>
  );
}

function Alarm({ patientId }: { patientId: string }) {
  const live = useLivePatient(patientId);
  const say = useSay();
  const [alert, ...others] = sortedByUrgency(live?.alerts.values() ?? []);
  if (!alert) return <span className={classes.quiet}>{say("common.none")}</span>;
  return (
    <Link to="/alarms/$alertId" params={{ alertId: alert.alert_id }} className={classes.alarm}>
      <PriorityBadge priority={shownAs(alert)} flashing={alert.state === "active"} />
      {alert.acknowledged_at !== null && <span>{say("patients.acknowledged")}</span>}
      {others.length > 0 && <span>{say("patients.more_alarms", { n: others.length })}</span>}
    </Link>
  );
}

/** When the server last got anything of the patient. */
function Updated({ patientId }: { patientId: string }) {
  const say = useSay();
  const live = useLivePatient(patientId);
  const link = useLink();
  const now = useServerNow();
  const { freshness, ageS } = shownUpdate(live, { now, link: link.status });
  if (ageS === null) return <span className={classes.old}>{say("patients.no_data")}</span>;
  return <span className={freshness === "stale" ? classes.old : undefined}>{age(ageS)}</span>;
}
