// What a profile tells: specialty, qualifications, languages, how to reach the person.
import { Textarea, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { type FieldErrors, Form } from "../design/form.tsx";
import { useSay } from "../messages/index.ts";
import type { Practitioner } from "./api.ts";

export type Told = Pick<Practitioner, "specialty" | "qualifications" | "registration_number" | "languages" | "phone" | "about">;
type PractitionerFormProps = {
  before?: Told;
  submit: string;
  check?: () => FieldErrors;
  onSubmit: (told: Told) => Promise<unknown>;
  onCancel: () => void;
  /** Fields before these. */
  children?: (field: (path: string) => { id: string; error: string | undefined }) => ReactNode;
};

const split = (text: string, by: RegExp) =>
  text
    .split(by)
    .map((part) => part.trim())
    .filter(Boolean);

function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

export function PractitionerForm({ before, submit, check, onSubmit, onCancel, children }: PractitionerFormProps) {
  const say = useSay();
  const [input, setInput] = useState({
    specialty: before?.specialty ?? "",
    qualifications: before?.qualifications.join("\n") ?? "",
    registration_number: before?.registration_number ?? "",
    languages: before?.languages.join(", ") ?? "",
    phone: before?.phone ?? "",
    about: before?.about ?? "",
  });
  const labels = {
    specialty: say("practitioners.specialty"),
    qualifications: say("practitioners.qualifications"),
    registration_number: say("practitioners.registration"),
    languages: say("practitioners.languages"),
    phone: say("practitioners.phone"),
    about: say("practitioners.about"),
  };
  type Name = keyof typeof input;
  const languages = split(input.languages, /[,\s]+/);
  const wrong = () => {
    const tag = languages.find((one) => !isLanguage(one));
    return { ...check?.(), ...(tag !== undefined && { languages: say("practitioners.bad_language", { tag }) }) };
  };
  const orNull = (text: string) => text.trim() || null;
  const told = (): Told => ({
    specialty: orNull(input.specialty),
    qualifications: split(input.qualifications, /\n/),
    registration_number: orNull(input.registration_number),
    languages: [...new Set(languages)],
    phone: orNull(input.phone),
    about: orNull(input.about),
  });
  return (
    <Form submit={submit} check={wrong} onSubmit={() => onSubmit(told())} onCancel={onCancel} labels={labels}>
      {(field) => {
        const text = (name: Name) => ({
          ...field(name),
          label: labels[name],
          value: input[name],
          onChange: (event: { target: { value: string } }) => setInput({ ...input, [name]: event.target.value }),
        });
        return (
          <>
            {children?.(field)}
            <TextInput {...text("specialty")} />
            <Textarea {...text("qualifications")} description={say("practitioners.qualifications_hint")} rows={3} />
            <TextInput {...text("registration_number")} />
            <TextInput {...text("languages")} description={say("practitioners.languages_hint")} />
            <TextInput {...text("phone")} type="tel" />
            <Textarea {...text("about")} rows={3} />
          </>
        );
      }}
    </Form>
  );
}
