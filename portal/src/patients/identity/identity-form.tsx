// Form to correct a patient's identity. A change of somebody else meanwhile shows both values before anything is overwritten.
import { NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { toProblem } from "../../platform/api/problem.ts";
import { Table } from "../../platform/design/data-table.tsx";
import { Form } from "../../platform/design/form.tsx";
import layout from "../../platform/design/layout.module.css";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import { readPatient } from "../api.ts";
import { formatBirthDate } from "../patient-age.ts";
import { changePatient } from "../record/record-api.ts";
import { BirthDateInput } from "./birth-date-input.tsx";
import classes from "./identity.module.css";
import {
  type Conflict,
  GENDERS,
  IDENTITY_LABELS,
  type IdentityDraft,
  mergeDraft,
  toChange,
  toDraft,
  validateIdentity,
} from "./identity-draft.ts";
import type { VersionedPatient } from "./use-editing.ts";

type IdentityFormProps = VersionedPatient & {
  /** Staff give a reason and may enter the number of a card; patients change their own details. */
  isStaff: boolean;
  onDone: () => void;
};

export function IdentityForm({ data, etag, isStaff, onDone }: IdentityFormProps) {
  const t = useTranslation();
  const queryClient = useQueryClient();
  const [base, setBase] = useState<VersionedPatient>({ data, etag });
  const [draft, setDraft] = useState(() => toDraft(data));
  const [conflicts, setConflicts] = useState<readonly Conflict[]>([]);
  const fields = useRef<HTMLDivElement>(null);
  // The button that had the focus is gone.
  useEffect(() => fields.current?.querySelector("input")?.focus(), []);

  async function save() {
    const change = toChange(base.data, draft);
    if (Object.keys(change).length === 0) return onDone();
    try {
      await changePatient(data.patient_id, base.etag, change);
    } catch (error) {
      if (toProblem(error).code !== "precondition_failed") throw error;
      const current = await readPatient(data.patient_id);
      const merged = mergeDraft(base.data, draft, current.data);
      setBase(current);
      setDraft(merged.draft);
      // Another part of the record was changed: nothing that is edited here.
      if (merged.conflicts.length === 0) throw error;
      return setConflicts(merged.conflicts);
    }
    await Promise.all([
      queryClient.invalidateQueries({ queryKey: ["patients", data.patient_id] }),
      queryClient.invalidateQueries({ queryKey: ["me"] }),
    ]);
    announce(t("common.saved"));
    onDone();
  }

  return (
    <>
      {conflicts.length > 0 && <ConflictNotice conflicts={conflicts} />}
      <Form
        submitLabel={t("common.save")}
        validate={() => validateIdentity(draft, t)}
        onSubmit={save}
        onCancel={onDone}
        labels={{
          ...Object.fromEntries(Object.entries(IDENTITY_LABELS).map(([field, key]) => [field, t(key)])),
          aadhaar_number: t("patients.aadhaar"),
          reason: t("identity.reason"),
        }}
      >
        {(field) => {
          const textProps = (name: Exclude<keyof IdentityDraft, "birth">, label: string) => ({
            ...field(name),
            label,
            value: draft[name],
            onChange: (event: { target: { value: string } }) => setDraft({ ...draft, [name]: event.target.value }),
            autoComplete: "off",
          });
          return (
            <div ref={fields} className={classes.fields}>
              <TextInput {...textProps("first_name", t("patients.first_name"))} required />
              <TextInput {...textProps("last_name", t("patients.last_name"))} />
              <BirthDateInput
                {...field("date_of_birth")}
                label={t("patients.date_of_birth")}
                description={t("identity.date_hint")}
                value={draft.birth}
                onChange={(birth) => setDraft({ ...draft, birth })}
              />
              <NativeSelect
                {...textProps("gender", t("patients.gender"))}
                data={GENDERS.map((value) => ({ value, label: translateCode("patients.gender", value) }))}
              />
              <TextInput {...textProps("phone", t("patients.phone"))} type="tel" />
              <TextInput {...textProps("email", t("patients.email"))} type="email" />
              <Textarea
                {...textProps("address", t("patients.address"))}
                rows={3}
                maxLength={500}
                // Tabbing reveals only the caret, which leaves the field behind the tabs of a phone.
                onFocus={(event) => event.target.scrollIntoView({ block: "center" })}
              />
              {isStaff && (
                <>
                  <TextInput
                    {...textProps("aadhaar_number", t("patients.aadhaar"))}
                    inputMode="numeric"
                    description={t("identity.aadhaar_hint")}
                  />
                  <TextInput
                    {...textProps("abha_number", t("patients.abha"))}
                    inputMode="numeric"
                    description={t("patients.abha_hint")}
                  />
                  <TextInput
                    {...textProps("reason", t("identity.reason"))}
                    description={t("identity.reason_hint")}
                    maxLength={200}
                  />
                </>
              )}
            </div>
          );
        }}
      </Form>
    </>
  );
}

function ConflictNotice({ conflicts }: { conflicts: readonly Conflict[] }) {
  const t = useTranslation();
  const notice = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (conflicts.length > 0) notice.current?.focus();
  }, [conflicts]);
  return (
    <div ref={notice} tabIndex={-1} role="alert" className={layout.alert}>
      <p>{t("identity.conflict")}</p>
      <Table
        label={t("identity.both_values")}
        items={conflicts}
        rowKey={({ field }) => field}
        columns={[
          { label: t("identity.field"), cell: ({ field }) => t(IDENTITY_LABELS[field]) },
          { label: t("identity.saved_value"), cell: ({ field, saved }) => formatIdentityValue(field, saved) },
          { label: t("identity.own_value"), cell: ({ field, own }) => formatIdentityValue(field, own) },
        ]}
      />
    </div>
  );
}

/** A value of the history, in words. */
export function formatIdentityValue(field: string, value: string | boolean | null): string {
  if (value === null || value === "") return translateCode("identity.value", "none");
  if (typeof value === "boolean") return translateCode("identity.active", String(value));
  if (field === "date_of_birth") return formatBirthDate(value);
  if (field === "gender") return translateCode("patients.gender", value);
  if (field === "monitoring") return translateCode("patients.monitoring", value);
  return value;
}
