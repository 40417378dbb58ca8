// The form of an intake link, without an account. What is written stays in this page's memory.
import { NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { LanguageButtons } from "../../accounts/session/language-buttons.tsx";
import { useOneTimeLink } from "../../accounts/session/one-time-links.ts";
import classes from "../../accounts/session/session.module.css";
import { toProblem, withErrorMessages } from "../../platform/api/problem.ts";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { Page } from "../../platform/design/page.tsx";
import { LoadError, Loading } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { type FormField, type IntakeForm, openForm, submitForm } from "./api.ts";
import { isList, toAnswers } from "./intake-form.ts";

export function IntakePage() {
  const t = useTranslation();
  const link = useOneTimeLink();
  return (
    <main className={classes.door}>
      <LanguageButtons />
      <Page title={t("intake.form_title")}>
        {link === undefined && <Loading />}
        {link?.kind === "intake" && <OpenedForm key={link.token} token={link.token} />}
        {link !== undefined && link?.kind !== "intake" && <p>{t("intake.no_link")}</p>}
      </Page>
    </main>
  );
}

function OpenedForm({ token }: { token: string }) {
  const t = useTranslation();
  const [isSent, setIsSent] = useState(false);
  // Each opening is on record: once is enough.
  const query = useQuery({
    queryKey: ["intake-form"],
    queryFn: () => openForm(token),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (isSent) return <p role="status">{t("intake.sent")}</p>;
  if (query.data) return <Questions form={query.data} token={token} onSent={() => setIsSent(true)} />;
  if (!query.error) return <Loading />;
  const { status } = toProblem(query.error);
  if (status === 410) return <p role="status">{t("intake.ended")}</p>;
  if (status === 404) return <p role="status">{t("intake.unknown")}</p>;
  return <LoadError error={query.error} retry={() => void query.refetch()} />;
}

function Questions({ form, token, onSent }: { form: IntakeForm; token: string; onSent: () => void }) {
  const t = useTranslation();
  const [draft, setDraft] = useState<Record<string, string>>({});
  const labels = Object.fromEntries([
    ...form.fields.map((field) => [field, t(`intake.field.${field}`)]),
    ...form.questions.map(({ key, label }) => [`answers.${key}`, label]),
  ]);
  const validate = (): FieldErrors =>
    Object.keys(toAnswers(form, draft)).length > 0 ? {} : { [Object.keys(labels)[0] ?? ""]: t("intake.nothing") };
  async function submit(): Promise<void> {
    await withErrorMessages(submitForm(token, toAnswers(form, draft)), { link_expired: t("intake.ended") });
    onSent();
  }
  const write = (path: string) => (value: string) => setDraft({ ...draft, [path]: value });
  return (
    <>
      <p>{t("intake.form_of", { hospital: form.hospital_name })}</p>
      <Form submitLabel={t("intake.send")} validate={validate} onSubmit={submit} labels={labels}>
        {(field) => (
          <>
            {form.fields.map((name) => (
              <Field key={name} name={name} value={draft[name] ?? ""} onChange={write(name)} {...field(`answers.${name}`)} />
            ))}
            {form.questions.map(({ key, label }) => (
              <Textarea
                key={key}
                label={label}
                maxLength={2_000}
                value={draft[`answers.${key}`] ?? ""}
                onChange={({ currentTarget: { value } }) => write(`answers.${key}`)(value)}
                {...field(`answers.answers.${key}`)}
              />
            ))}
          </>
        )}
      </Form>
    </>
  );
}

type FieldProps = { name: FormField; value: string; onChange: (value: string) => void; id: string; error: string | undefined };
const GENDERS = ["", "female", "male", "other", "unknown"] as const;
const TYPES: Partial<Record<FormField, string>> = { date_of_birth: "date", phone: "tel", email: "email" };

function Field({ name, value, onChange, ...field }: FieldProps) {
  const t = useTranslation();
  const label = t(`intake.field.${name}`);
  if (name === "gender")
    return (
      <NativeSelect
        label={label}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        data={GENDERS.map((gender) => ({ value: gender, label: t(`intake.gender.${gender}`) }))}
        {...field}
      />
    );
  if (isList(name) || name === "address" || name === "chief_complaint")
    return (
      <Textarea
        label={label}
        description={isList(name) ? t("intake.per_line") : undefined}
        maxLength={name === "address" ? 500 : 2_000}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        {...field}
      />
    );
  return (
    <TextInput
      type={TYPES[name] ?? "text"}
      label={label}
      maxLength={320}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      {...field}
    />
  );
}
