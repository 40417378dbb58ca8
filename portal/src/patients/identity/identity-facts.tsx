// What identifies a patient: name, birth date, sex, contacts, address and identifiers.
import { useServerNow } from "../../monitoring/live/use-live.ts";
import { DescriptionList } from "../../platform/design/page.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { getFullName, type PatientSummary } from "../api.ts";
import { formatBirthDate, formatPatientAge } from "../patient-age.ts";
import classes from "./identity.module.css";

export function IdentityFacts({ patient }: { patient: PatientSummary }) {
  const t = useTranslation();
  const now = useServerNow(60_000);
  const { date_of_birth: born, aadhaar_last4: last4, patient_uid: uid, uid_basis: basis } = patient;
  return (
    <DescriptionList
      items={[
        [t("identity.name"), getFullName(patient)],
        [
          t("patients.date_of_birth"),
          born && t("identity.born_and_age", { date: formatBirthDate(born), age: formatPatientAge(born, now) }),
        ],
        [t("patients.gender"), translateCode("patients.gender", patient.gender)],
        [t("patients.phone"), patient.phone],
        [t("patients.email"), patient.email && <span className={classes.text}>{patient.email}</span>],
        [t("patients.address"), patient.address && <span className={classes.text}>{patient.address}</span>],
        [t("identity.number"), String(patient.patient_number)],
        [t("patients.aadhaar"), last4 && t("identity.aadhaar_ends", { digits: last4 })],
        [t("patients.abha"), patient.abha_number],
        [
          t("identity.uid"),
          uid && (
            <span className={classes.text}>
              {uid}
              {basis && ` · ${t(`identity.uid_by.${basis}`)}`}
            </span>
          ),
        ],
      ]}
    />
  );
}
