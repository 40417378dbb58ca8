// What lists and pages say of an emergency access: who, whether it runs, and of which record.
import { Link } from "@tanstack/react-router";
import { useMe } from "../accounts/session/use-session.ts";
import { useColleagues } from "../organization/hospitals/use-colleagues.ts";
import { formatDateTime } from "../platform/design/format.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import type { EmergencyAccess } from "./api.ts";
import { formatRemaining, useRemainingSeconds } from "./use-remaining.ts";

type AccessProps = { access: EmergencyAccess };

export function ReaderName({ access: { user_id, hospital_id } }: AccessProps) {
  const t = useTranslation();
  const me = useMe();
  const isOfHospital = hospital_id === me.hospital?.id;
  const { data, error } = useColleagues(isOfHospital ? hospital_id : null);
  if (user_id === me.user_id) return t("privacy.you");
  if (!isOfHospital) return t("emergency.other_staff");
  if (!data) return error ? t("common.unknown") : "…";
  return data.find((person) => person.user_id === user_id)?.full_name ?? t("privacy.somebody");
}

export function AccessState({ access }: AccessProps) {
  const t = useTranslation();
  const seconds = useRemainingSeconds(access);
  const { ended_at, ends_at, second_step } = access;
  return (
    <>
      {seconds > 0
        ? t("emergency.running", { time: formatRemaining(seconds) })
        : t("emergency.ended_at", { time: formatDateTime(ended_at ?? ends_at) })}
      {!second_step && (
        <>
          {" · "}
          <strong>{t("emergency.without_second_step")}</strong>
        </>
      )}
    </>
  );
}

/** The end of the record's id, which tells records apart without a name. */
const shorten = (id: string): string => id.slice(-8);

/** A link where the record may be open: a running own access, and for who reviews accesses to the hospital's records. */
export function RecordLink({ access }: AccessProps) {
  const t = useTranslation();
  const { user_id, hospital, is_privacy_officer } = useMe();
  const isRunning = useRemainingSeconds(access) > 0;
  const { patient_id: patientId, record_hospital_id } = access;
  const isOfHospital = record_hospital_id === hospital?.id;
  const isLinked = (isRunning && access.user_id === user_id) || (isOfHospital && is_privacy_officer);
  const name = t("emergency.record_id", { id: shorten(patientId) });
  return (
    <>
      {isLinked ? (
        <Link to="/patients/$patientId" params={{ patientId }}>
          {name}
        </Link>
      ) : (
        name
      )}
      {!isOfHospital && ` · ${t("emergency.other_hospital")}`}
    </>
  );
}
