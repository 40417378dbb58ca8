// Cells of the list of held samples: reasons, times of measurement and state, in words.
import { Link } from "@tanstack/react-router";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { formatDateTime } from "../../platform/design/format.ts";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import classes from "../../reports/upload/uploads.module.css";
import type { HeldEntry, HeldState } from "./api.ts";

/** Reasons in words; unknown ones are shown as they are. */
export const formatReasons = (reasons: readonly string[]): string =>
  reasons.map((reason) => translateCode("held_reason", reason)).join(", ");

export function ReceivedCell({ entry: { received_at, hospital_id } }: { entry: HeldEntry }) {
  const zone = useHospitalTimeZone(hospital_id);
  return <time dateTime={received_at}>{formatDateTime(received_at, zone)}</time>;
}

/** One time, or the first and the last. */
export function MeasuredCell({ entry: { measured_from, measured_to, hospital_id } }: { entry: HeldEntry }) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(hospital_id);
  if (measured_from === null || measured_to === null) return t("common.unknown");
  const [first, last] = [formatDateTime(measured_from, zone), formatDateTime(measured_to, zone)];
  return first === last ? first : `${first} – ${last}`;
}

const TONE_BY_STATE: Partial<Record<HeldState, string>> = { held: "waits", filed: "good" };

export function StateCell({ entry: { state, filed_patient_id } }: { entry: HeldEntry }) {
  const t = useTranslation();
  const isBegun = state === "held" && filed_patient_id !== null;
  return (
    <>
      <span className={classes.outcome} data-tone={TONE_BY_STATE[state]}>
        {t(`held_state.${state}`)}
      </span>
      {isBegun && ` ${t("held.begun")}`}
      {filed_patient_id !== null && <RecordLink patientId={filed_patient_id} />}
    </>
  );
}

/** The patient to whom the device was assigned when the samples came. */
export function AssignedCell({ entry: { patient_id, reasons } }: { entry: HeldEntry }) {
  const t = useTranslation();
  if (patient_id !== null) return <RecordLink patientId={patient_id} />;
  return t(reasons.includes("not_bound") ? "held.nobody" : "common.unknown");
}

function RecordLink({ patientId }: { patientId: string }) {
  const t = useTranslation();
  return (
    <>
      {" "}
      <Link to="/patients/$patientId" params={{ patientId }}>
        {t("held.open_record")}
      </Link>
    </>
  );
}
