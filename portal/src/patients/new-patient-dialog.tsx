// Dialog to register a patient; only the first name is required.
import { NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { useActiveWards } from "../organization/wards/use-wards.ts";
import { toProblem } from "../platform/api/problem.ts";
import { Dialog } from "../platform/design/dialog.tsx";
import { Form, validateRequired } from "../platform/design/form.tsx";
import { type PlainMessageKey, translateCode, useTranslation } from "../platform/messages/translate.ts";
import { createPatient, listDoctors, type NewPatient } from "./api.ts";
import { type BirthDateParts, joinBirthDate, NO_BIRTH_DATE } from "./identity/birth-date.ts";
import { BirthDateInput } from "./identity/birth-date-input.tsx";
import { validateIdentity } from "./identity/identity-draft.ts";
import { toLatinDigits } from "./latin-digits.ts";
import classes from "./new-patient.module.css";
import { readSimilarPatients, type SimilarPatients, SimilarPatientsNotice } from "./similar-patients.tsx";
import type { useSearchHospital } from "./use-patient-search.ts";

const GENDERS = ["unknown", "female", "male", "other"] as const;
const MONITORING = ["off", "ward", "home"] as const;
const EMPTY_DRAFT = {
  first_name: "",
  last_name: "",
  gender: "unknown",
  phone: "",
  email: "",
  address: "",
  aadhaar_number: "",
  abha_number: "",
  symptoms: "",
  medical_history: "",
  notes: "",
  ward_id: "",
  assigned_doctor_id: "",
  monitoring: "off",
  duplicate_reason: "",
};
type FieldName = keyof typeof EMPTY_DRAFT;
type PatientDraft = Record<FieldName, string> & { birth: BirthDateParts };
/** What a similar record is found by: after a change of it, the reason is no longer about the records shown. */
const IDENTIFYING: readonly (keyof PatientDraft)[] = [
  "first_name",
  "last_name",
  "birth",
  "phone",
  "aadhaar_number",
  "abha_number",
];

const LABELS: Record<FieldName | "date_of_birth", PlainMessageKey> = {
  first_name: "patients.first_name",
  last_name: "patients.last_name",
  gender: "patients.gender",
  date_of_birth: "patients.date_of_birth",
  phone: "patients.phone",
  email: "patients.email",
  address: "patients.address",
  aadhaar_number: "patients.aadhaar",
  abha_number: "patients.abha",
  symptoms: "patients.symptoms",
  medical_history: "patients.medical_history",
  notes: "patients.notes",
  ward_id: "patients.ward",
  assigned_doctor_id: "patients.doctor",
  monitoring: "patients.monitoring",
  duplicate_reason: "patients.duplicate_reason",
};

const NUMERIC_FIELDS: readonly FieldName[] = ["aadhaar_number", "abha_number"];

/** Empty fields are omitted from the request. */
function toNewPatient(draft: PatientDraft, hospitalId: string | null): NewPatient {
  const optionalField = (name: FieldName) => {
    const text = NUMERIC_FIELDS.includes(name) ? toLatinDigits(draft[name].trim()) : draft[name].trim();
    return text === "" ? {} : { [name]: text };
  };
  const symptoms = draft.symptoms
    .split(/[\n,;]/)
    .map((symptom) => symptom.trim())
    .filter(Boolean);
  const born = joinBirthDate(draft.birth);
  return {
    first_name: draft.first_name.trim(),
    ...optionalField("last_name"),
    ...(born && { date_of_birth: born }),
    ...optionalField("phone"),
    ...optionalField("email"),
    ...optionalField("address"),
    ...optionalField("aadhaar_number"),
    ...optionalField("abha_number"),
    ...optionalField("medical_history"),
    ...optionalField("notes"),
    ...optionalField("ward_id"),
    ...optionalField("assigned_doctor_id"),
    ...optionalField("duplicate_reason"),
    gender: GENDERS.find((gender) => gender === draft.gender) ?? "unknown",
    monitoring: MONITORING.find((monitoring) => monitoring === draft.monitoring) ?? "off",
    symptoms,
    ...(hospitalId && { hospital_id: hospitalId }),
  };
}

type NewPatientProps = { hospital: ReturnType<typeof useSearchHospital>; onClose: () => void };

export function NewPatientDialog({ hospital, onClose }: NewPatientProps) {
  const t = useTranslation();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState<PatientDraft>({ ...EMPTY_DRAFT, birth: NO_BIRTH_DATE });
  const [similar, setSimilar] = useState<SimilarPatients | null>(null);
  const edit = (change: Partial<PatientDraft>) => {
    const isOther = IDENTIFYING.some((name) => name in change);
    setDraft({ ...draft, ...(isOther && { duplicate_reason: "" }), ...change });
    if (isOther) setSimilar(null);
  };
  /** Idempotency key per content: a retry creates no second record, and a correction is a new request. */
  const lastSent = useRef({ content: "", key: "" });
  const wards = useActiveWards(hospital.id);
  const doctors = useQuery({ queryKey: ["practitioners", "doctors", hospital.id], queryFn: () => listDoctors(hospital.id) });
  const noneOption = { value: "", label: t("common.none") };

  const save = async () => {
    const patient = toNewPatient(draft, hospital.id);
    const content = JSON.stringify(patient);
    if (lastSent.current.content !== content) lastSent.current = { content, key: crypto.randomUUID() };
    const created = await createPatient(patient, lastSent.current.key).catch((error: unknown) => {
      const problem = toProblem(error);
      if (problem.code !== "possible_duplicate") throw error;
      setSimilar(readSimilarPatients(problem));
      return null;
    });
    if (!created) return;
    const { patient_id } = created;
    void queryClient.invalidateQueries({ queryKey: ["patients"] });
    onClose();
    await navigate({ to: "/patients/$patientId", params: { patientId: patient_id } });
  };

  return (
    <Dialog title={t("patients.new")} wide onClose={onClose}>
      <Form
        submitLabel={t(similar ? "patients.register_anyway" : "patients.register")}
        validate={() => ({
          ...validateIdentity(draft, t),
          ...(similar && validateRequired({ duplicate_reason: draft.duplicate_reason })),
        })}
        onSubmit={save}
        onCancel={onClose}
        labels={Object.fromEntries(Object.entries(LABELS).map(([name, key]) => [name, t(key)]))}
      >
        {(field) => {
          const fieldProps = (name: FieldName) => ({
            ...field(name),
            label: t(LABELS[name]),
            value: draft[name],
            onChange: (event: { target: { value: string } }) => edit({ [name]: event.target.value }),
            autoComplete: "off",
          });
          return (
            <>
              <fieldset className={classes.fields}>
                <legend>{t("patients.who")}</legend>
                <TextInput {...fieldProps("first_name")} required data-autofocus />
                <TextInput {...fieldProps("last_name")} />
                <BirthDateInput
                  {...field("date_of_birth")}
                  label={t("patients.date_of_birth")}
                  description={t("identity.date_hint")}
                  value={draft.birth}
                  onChange={(birth) => edit({ birth })}
                />
                <NativeSelect
                  {...fieldProps("gender")}
                  data={GENDERS.map((value) => ({ value, label: translateCode("patients.gender", value) }))}
                />
                <TextInput {...fieldProps("phone")} type="tel" />
                <TextInput {...fieldProps("email")} type="email" />
                <TextInput {...fieldProps("aadhaar_number")} inputMode="numeric" description={t("patients.aadhaar_hint")} />
                <TextInput {...fieldProps("abha_number")} inputMode="numeric" description={t("patients.abha_hint")} />
                <Textarea {...fieldProps("address")} rows={2} />
              </fieldset>
              <fieldset className={classes.fields}>
                <legend>{t("patients.where")}</legend>
                <NativeSelect
                  {...fieldProps("ward_id")}
                  data={[noneOption, ...(wards.data ?? []).map(({ ward_id, name }) => ({ value: ward_id, label: name }))]}
                />
                <NativeSelect
                  {...fieldProps("monitoring")}
                  data={MONITORING.map((value) => ({ value, label: translateCode("patients.monitoring", value) }))}
                />
                {(doctors.data?.items.length ?? 0) > 0 && (
                  <NativeSelect
                    {...fieldProps("assigned_doctor_id")}
                    data={[
                      noneOption,
                      ...(doctors.data?.items ?? []).map(({ user_id, full_name }) => ({ value: user_id, label: full_name })),
                    ]}
                  />
                )}
              </fieldset>
              <fieldset className={classes.texts}>
                <legend>{t("patients.told")}</legend>
                <Textarea {...fieldProps("symptoms")} description={t("patients.symptoms_hint")} rows={2} />
                <Textarea {...fieldProps("medical_history")} rows={3} />
                <Textarea {...fieldProps("notes")} rows={2} />
              </fieldset>
              {similar && (
                <SimilarPatientsNotice
                  similar={similar}
                  field={field("duplicate_reason")}
                  reason={draft.duplicate_reason}
                  onReason={(duplicate_reason) => edit({ duplicate_reason })}
                />
              )}
            </>
          );
        }}
      </Form>
    </Dialog>
  );
}
