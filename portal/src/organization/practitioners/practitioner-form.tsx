// Form of a profile: specialty, qualifications, languages and contact.
import { Textarea, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import type { Practitioner } from "./api.ts";

export type PractitionerProfile = Pick<
  Practitioner,
  "specialty" | "qualifications" | "registration_number" | "languages" | "phone" | "about"
>;
type PractitionerFormProps = {
  initial?: PractitionerProfile;
  submitLabel: string;
  validate?: () => FieldErrors;
  onSubmit: (told: PractitionerProfile) => Promise<unknown>;
  onCancel: () => void;
  /** Fields shown above the form's own. */
  children?: (field: (path: string) => { id: string; error: string | undefined }) => ReactNode;
};

const splitList = (text: string, separator: RegExp) =>
  text
    .split(separator)
    .map((part) => part.trim())
    .filter(Boolean);

function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

export function PractitionerForm({ initial, submitLabel, validate, onSubmit, onCancel, children }: PractitionerFormProps) {
  const t = useTranslation();
  const [input, setInput] = useState({
    specialty: initial?.specialty ?? "",
    qualifications: initial?.qualifications.join("\n") ?? "",
    registration_number: initial?.registration_number ?? "",
    languages: initial?.languages.join(", ") ?? "",
    phone: initial?.phone ?? "",
    about: initial?.about ?? "",
  });
  const labels = {
    specialty: t("practitioners.specialty"),
    qualifications: t("practitioners.qualifications"),
    registration_number: t("practitioners.registration"),
    languages: t("practitioners.languages"),
    phone: t("practitioners.phone"),
    about: t("practitioners.about"),
  };
  type FieldName = keyof typeof input;
  const languages = splitList(input.languages, /[,\s]+/);
  const validateAll = () => {
    const tag = languages.find((one) => !isLanguage(one));
    return { ...validate?.(), ...(tag !== undefined && { languages: t("practitioners.bad_language", { tag }) }) };
  };
  const emptyToNull = (fieldProps: string) => fieldProps.trim() || null;
  const toProfile = (): PractitionerProfile => ({
    specialty: emptyToNull(input.specialty),
    qualifications: splitList(input.qualifications, /\n/),
    registration_number: emptyToNull(input.registration_number),
    languages: [...new Set(languages)],
    phone: emptyToNull(input.phone),
    about: emptyToNull(input.about),
  });
  return (
    <Form
      submitLabel={submitLabel}
      validate={validateAll}
      onSubmit={() => onSubmit(toProfile())}
      onCancel={onCancel}
      labels={labels}
    >
      {(field) => {
        const fieldProps = (name: FieldName) => ({
          ...field(name),
          label: labels[name],
          value: input[name],
          onChange: (event: { target: { value: string } }) => setInput({ ...input, [name]: event.target.value }),
        });
        return (
          <>
            {children?.(field)}
            <TextInput {...fieldProps("specialty")} />
            <Textarea {...fieldProps("qualifications")} description={t("practitioners.qualifications_hint")} rows={3} />
            <TextInput {...fieldProps("registration_number")} />
            <TextInput {...fieldProps("languages")} description={t("practitioners.languages_hint")} />
            <TextInput {...fieldProps("phone")} type="tel" />
            <Textarea {...fieldProps("about")} rows={3} />
          </>
        );
      }}
    </Form>
  );
}
