// A new patient: only the first name is needed, so that nobody waits at the desk for papers.
import { NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { Dialog } from "../design/dialog.tsx";
import { type FieldErrors, Form } from "../design/form.tsx";
import { type PlainKey, sayOf, useSay } from "../messages/index.ts";
import { createPatient, listDoctors, listWards, type NewPatient } from "./api.ts";
import classes from "./new-patient.module.css";
import type { useSearchedHospital } from "./use-patient-search.ts";

const GENDERS = ["unknown", "female", "male", "other"] as const;
const MONITORING = ["off", "ward", "home"] as const;
const EMPTY = {
  first_name: "",
  last_name: "",
  gender: "unknown",
  date_of_birth: "",
  phone: "",
  email: "",
  address: "",
  aadhaar_number: "",
  symptoms: "",
  medical_history: "",
  notes: "",
  ward_id: "",
  assigned_doctor_id: "",
  monitoring: "off",
};
type Draft = typeof EMPTY;
type Name = keyof Draft;

const LABELS: Record<Name, PlainKey> = {
  first_name: "patients.first_name",
  last_name: "patients.last_name",
  gender: "patients.gender",
  date_of_birth: "patients.date_of_birth",
  phone: "patients.phone",
  email: "patients.email",
  address: "patients.address",
  aadhaar_number: "patients.aadhaar",
  symptoms: "patients.symptoms",
  medical_history: "patients.medical_history",
  notes: "patients.notes",
  ward_id: "patients.ward",
  assigned_doctor_id: "patients.doctor",
  monitoring: "patients.monitoring",
};

/** Digits of Devanagari, where the API takes Latin ones. */
const latin = (text: string) => text.replace(/[०-९]/g, (digit) => String(digit.charCodeAt(0) - 0x966));

/** What the API would refuse, said in the language that is set. */
function wrongIn(draft: Draft, say: ReturnType<typeof useSay>): FieldErrors {
  const [phone, aadhaar] = [latin(draft.phone.trim()), latin(draft.aadhaar_number).replace(/[\s-]/g, "")];
  return {
    ...(draft.first_name.trim() === "" && { first_name: say("common.required") }),
    ...(draft.date_of_birth > new Date().toISOString().slice(0, 10) && { date_of_birth: say("patients.born_later") }),
    ...(phone && !/^\+?[0-9][0-9 ().-]{4,24}$/.test(phone) && { phone: say("patients.phone_wrong") }),
    ...(draft.email.trim() && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(draft.email.trim()) && { email: say("patients.email_wrong") }),
    ...(aadhaar && !/^[0-9]{12}$/.test(aadhaar) && { aadhaar_number: say("patients.aadhaar_wrong") }),
  };
}

const NUMBERS: readonly Name[] = ["phone", "aadhaar_number"];

/** What is left empty is not said at all. */
function patientOf(draft: Draft, hospitalId: string | null): NewPatient {
  const given = (name: Name) => {
    const text = NUMBERS.includes(name) ? latin(draft[name].trim()) : draft[name].trim();
    return text === "" ? {} : { [name]: text };
  };
  const symptoms = draft.symptoms
    .split(/[\n,;]/)
    .map((symptom) => symptom.trim())
    .filter(Boolean);
  return {
    first_name: draft.first_name.trim(),
    ...given("last_name"),
    ...given("date_of_birth"),
    ...given("phone"),
    ...given("email"),
    ...given("address"),
    ...given("aadhaar_number"),
    ...given("medical_history"),
    ...given("notes"),
    ...given("ward_id"),
    ...given("assigned_doctor_id"),
    gender: GENDERS.find((gender) => gender === draft.gender) ?? "unknown",
    monitoring: MONITORING.find((monitoring) => monitoring === draft.monitoring) ?? "off",
    symptoms,
    ...(hospitalId && { hospital_id: hospitalId }),
  };
}

type NewPatientProps = { hospital: ReturnType<typeof useSearchedHospital>; onClose: () => void };

export function NewPatientDialog({ hospital, onClose }: NewPatientProps) {
  const say = useSay();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(EMPTY);
  /** One key for one content: sent again after silence it makes no second record, and a correction is another request. */
  const sent = useRef({ content: "", key: "" });
  const wards = useQuery({ queryKey: ["wards", hospital.id, "active"], queryFn: () => listWards(hospital.id) });
  const doctors = useQuery({ queryKey: ["practitioners", "doctors", hospital.id], queryFn: () => listDoctors(hospital.id) });
  const nobody = { value: "", label: say("common.none") };

  const save = async () => {
    const patient = patientOf(draft, hospital.id);
    const content = JSON.stringify(patient);
    if (sent.current.content !== content) sent.current = { content, key: crypto.randomUUID() };
    const { patient_id } = await createPatient(patient, sent.current.key);
    void client.invalidateQueries({ queryKey: ["patients"] });
    onClose();
    await navigate({ to: "/patients/$patientId", params: { patientId: patient_id } });
  };

  return (
    <Dialog title={say("patients.new")} wide onClose={onClose}>
      <Form
        submit={say("patients.register")}
        check={() => wrongIn(draft, say)}
        onSubmit={save}
        onCancel={onClose}
        labels={Object.fromEntries(Object.entries(LABELS).map(([name, key]) => [name, say(key)]))}
      >
        {(field) => {
          const of = (name: Name) => ({
            ...field(name),
            label: say(LABELS[name]),
            value: draft[name],
            onChange: (event: { target: { value: string } }) => setDraft({ ...draft, [name]: event.target.value }),
            autoComplete: "off",
          });
          return (
            <>
              <fieldset className={classes.fields}>
                <legend>{say("patients.who")}</legend>
                <TextInput {...of("first_name")} required data-autofocus />
                <TextInput {...of("last_name")} />
                <TextInput {...of("date_of_birth")} type="date" />
                <NativeSelect
                  {...of("gender")}
                  data={GENDERS.map((value) => ({ value, label: sayOf("patients.gender", value) }))}
                />
                <TextInput {...of("phone")} type="tel" />
                <TextInput {...of("email")} type="email" />
                <TextInput {...of("aadhaar_number")} inputMode="numeric" description={say("patients.aadhaar_hint")} />
                <Textarea {...of("address")} rows={2} />
              </fieldset>
              <fieldset className={classes.fields}>
                <legend>{say("patients.where")}</legend>
                <NativeSelect
                  {...of("ward_id")}
                  data={[nobody, ...(wards.data?.items ?? []).map(({ ward_id, name }) => ({ value: ward_id, label: name }))]}
                />
                <NativeSelect
                  {...of("monitoring")}
                  data={MONITORING.map((value) => ({ value, label: sayOf("patients.monitoring", value) }))}
                />
                {(doctors.data?.items.length ?? 0) > 0 && (
                  <NativeSelect
                    {...of("assigned_doctor_id")}
                    data={[
                      nobody,
                      ...(doctors.data?.items ?? []).map(({ user_id, full_name }) => ({ value: user_id, label: full_name })),
                    ]}
                  />
                )}
              </fieldset>
              <fieldset className={classes.texts}>
                <legend>{say("patients.told")}</legend>
                <Textarea {...of("symptoms")} description={say("patients.symptoms_hint")} rows={2} />
                <Textarea {...of("medical_history")} rows={3} />
                <Textarea {...of("notes")} rows={2} />
              </fieldset>
            </>
          );
        }}
      </Form>
    </Dialog>
  );
}
