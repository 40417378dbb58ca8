// Patient table (cards on a phone) with live values.
import { Link } from "@tanstack/react-router";
import { getDisplayScore, getLastUpdate, isStateKnown, sortedByUrgency } from "../monitoring/live/patient-state.ts";
import { useConnection, useLivePatient, useServerNow, useWatchedIds } from "../monitoring/live/use-live.ts";
import { type Column, Table } from "../platform/design/data-table.tsx";
import { formatAge, formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { PriorityBadge, shownAs } from "../platform/design/priority.tsx";
import scores from "../platform/design/score.module.css";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { getFullName, type PatientSummary } from "./api.ts";
import { formatBirthDate } from "./patient-age.ts";
import classes from "./patient-table.module.css";

type PatientTableProps = {
  label: string;
  patients: readonly PatientSummary[];
  wards: ReadonlyMap<string, string>;
  /** Whether any live values are available. */
  isLive?: boolean;
};

export function PatientTable({ label, patients, wards, isLive = false }: PatientTableProps) {
  const t = useTranslation();
  const columns: Column<PatientSummary>[] = [
    { label: t("patients.patient"), cell: (patient) => <NameCell patient={patient} /> },
    { label: t("patients.date_of_birth"), cell: (patient) => <BirthCell patient={patient} /> },
    { label: t("patients.ward"), cell: ({ ward_id }) => (ward_id ? wards.get(ward_id) : null) ?? t("common.none") },
    ...(isLive
      ? [
          { label: "NEWS2", cell: ({ patient_id }: PatientSummary) => <ScoreCell patientId={patient_id} /> },
          { label: t("patients.alarm"), cell: ({ patient_id }: PatientSummary) => <AlarmCell patientId={patient_id} /> },
          { label: t("patients.updated"), cell: ({ patient_id }: PatientSummary) => <UpdatedCell patientId={patient_id} /> },
        ]
      : [
          {
            label: t("patients.monitoring"),
            cell: ({ monitoring }: PatientSummary) => translateCode("patients.monitoring", monitoring),
          },
        ]),
  ];
  return <Table label={label} columns={columns} items={patients} rowKey={({ patient_id }) => patient_id} />;
}

function BirthCell({ patient: { date_of_birth: dateOfBirth, gender } }: { patient: PatientSummary }) {
  return [dateOfBirth && formatBirthDate(dateOfBirth), gender !== "unknown" && translateCode("patients.gender", gender)]
    .filter(Boolean)
    .join(" · ");
}

function NameCell({ patient }: { patient: PatientSummary }) {
  const t = useTranslation();
  return (
    <span>
      <Link to="/patients/$patientId" params={{ patientId: patient.patient_id }} className={classes.name}>
        {getFullName(patient)}
      </Link>{" "}
      <span className={classes.number}>
        {t("common.number", { n: patient.patient_number })}
        {!patient.is_active && ` · ${t("patients.inactive")}`}
      </span>
    </span>
  );
}

function ScoreCell({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const live = useLivePatient(patientId);
  const { status } = useConnection();
  const now = useServerNow(5_000);
  const shown = getDisplayScore(live, { now, connection: status });
  if (shown.kind !== "score") return <span title={t("patients.no_score")}>—</span>;
  return (
    <>
      <span
        className={`${scores.band} ${classes.score}`}
        data-band={shown.band}
        data-not-current={shown.notCurrent ? true : undefined}
      >
        {shown.score}
      </span>
      {shown.notCurrent && (
        <small className={layout.muted}>
          {" "}
          {t(shown.notCurrent.isOverdue ? "score.overdue" : "score.not_current", { time: formatDateTime(shown.notCurrent.asOf) })}
        </small>
      )}
    </>
  );
}

function AlarmCell({ patientId }: { patientId: string }) {
  const live = useLivePatient(patientId);
  const { status } = useConnection();
  const t = useTranslation();
  const [alert, ...otherAlerts] = sortedByUrgency(live?.alerts.values() ?? []);
  if (!alert) return <span className={classes.quiet}>{t(isStateKnown(live, status) ? "common.none" : "common.unknown")}</span>;
  return (
    <Link to="/alarms/$alertId" params={{ alertId: alert.alert_id }} className={classes.alarm}>
      <PriorityBadge priority={shownAs(alert)} isFlashing={alert.state === "active"} />
      {alert.acknowledged_at !== null && <span>{t("patients.acknowledged")}</span>}
      {otherAlerts.length > 0 && <span>{t("patients.more_alarms", { n: otherAlerts.length })}</span>}
    </Link>
  );
}

/** When the server last received data of the patient. */
function UpdatedCell({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const live = useLivePatient(patientId);
  const { status } = useConnection();
  const now = useServerNow();
  const isWatched = useWatchedIds().includes(patientId);
  const { freshness, ageS } = getLastUpdate(live, { now, connection: status });
  if (ageS === null) {
    // A patient who is in the view without a state has never sent data (docs/live.md).
    const isNever = status === "live" && isWatched && live?.monitoring !== null;
    return <span className={classes.old}>{t(isNever ? "patients.no_data" : "common.unknown")}</span>;
  }
  return <span className={freshness === "stale" ? classes.old : undefined}>{formatAge(ageS)}</span>;
}
