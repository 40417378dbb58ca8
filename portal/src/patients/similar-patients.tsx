// Records that may be of the same person, shown before a registration is saved, and the reason why it is another person.
import { TextInput } from "@mantine/core";
import { useEffect, useRef } from "react";
import type { Problem } from "../platform/api/problem.ts";
import layout from "../platform/design/layout.module.css";
import { type PlainMessageKey, useTranslation } from "../platform/messages/translate.ts";
import { getFullName } from "./api.ts";
import { formatBirthDate } from "./patient-age.ts";

type Similar = {
  patient_id: string;
  patient_number: number;
  first_name: string;
  last_name: string | null;
  date_of_birth: string | null;
  is_active: boolean;
  matched_by: string[];
};
export type SimilarPatients = { duplicates: readonly Similar[]; notVisible: number };

/** The members of a `possible_duplicate` problem. */
export function readSimilarPatients({ members }: Problem): SimilarPatients {
  const { duplicates, not_visible } = members as { duplicates?: Similar[]; not_visible?: number };
  return { duplicates: duplicates ?? [], notVisible: not_visible ?? 0 };
}

const MATCHES: Readonly<Record<string, PlainMessageKey>> = {
  patient_uid: "patients.same.patient_uid",
  name_and_birth_date: "patients.same.name_and_birth_date",
  phone: "patients.same.phone",
};

type SimilarPatientsNoticeProps = {
  similar: SimilarPatients;
  field: { id: string; error: string | undefined };
  reason: string;
  onReason: (reason: string) => void;
};

export function SimilarPatientsNotice({ similar, field, reason, onReason }: SimilarPatientsNoticeProps) {
  const t = useTranslation();
  const notice = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (similar) notice.current?.focus();
  }, [similar]);
  return (
    <>
      <div ref={notice} tabIndex={-1} role="alert" className={layout.alert}>
        <p>
          <strong>{t("patients.similar")}</strong>
        </p>
        <ul>
          {similar.duplicates.map((patient) => (
            <li key={patient.patient_id}>
              {/* In a new tab: what was typed here stays. */}
              <a href={`/patients/${patient.patient_id}/about`} target="_blank" rel="noreferrer">
                {getFullName(patient)}, {t("common.number", { n: patient.patient_number })}
              </a>
              {patient.date_of_birth && ` · ${t("patients.born", { date: formatBirthDate(patient.date_of_birth) })}`}
              {!patient.is_active && ` · ${t("patients.inactive")}`}
              {" · "}
              {patient.matched_by.flatMap((match) => (MATCHES[match] ? [t(MATCHES[match])] : [])).join(", ")}
            </li>
          ))}
          {similar.notVisible > 0 && <li>{t("patients.similar_hidden", { n: similar.notVisible })}</li>}
        </ul>
      </div>
      <TextInput
        {...field}
        label={t("patients.duplicate_reason")}
        description={t("patients.duplicate_reason_hint")}
        value={reason}
        onChange={(event) => onReason(event.target.value)}
        maxLength={200}
        autoComplete="off"
        required
      />
    </>
  );
}
