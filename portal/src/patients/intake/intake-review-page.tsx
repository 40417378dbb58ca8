// Intakes that wait for review, and links to new ones.
import { Button, Checkbox, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { getLanguage } from "../../accounts/session/preferences.ts";
import { useIdempotencyKey } from "../../devices/use-idempotency-key.ts";
import { useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { type Column, DataTable } from "../../platform/design/data-table.tsx";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { FoldedCard, Page } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import { createLink, type FormField, type Overview, STATES, useSubmissions } from "./api.ts";

export const FIELDS = [
  "first_name",
  "last_name",
  "date_of_birth",
  "gender",
  "phone",
  "email",
  "address",
  "chief_complaint",
  "symptoms",
  "allergies",
  "medications",
] as const satisfies readonly FormField[];

export function IntakeReviewPage() {
  const t = useTranslation();
  const navigate = useNavigate({ from: "/intake-review" });
  const search = useSearch({ from: "/signed-in/intake-review" });
  const state = STATES.find((one) => one === search.state) ?? "submitted";
  const zone = useOwnTimeZone();
  const query = useSubmissions(state);
  const columns: Column<Overview>[] = [
    {
      label: t("intake.received"),
      cell: ({ submitted_at }) => <time dateTime={submitted_at}>{formatDateTime(submitted_at, zone)}</time>,
    },
    { label: t("intake.who"), cell: ({ name }) => name ?? t("intake.nameless") },
    { label: t("intake.why"), cell: ({ chief_complaint }) => chief_complaint ?? "—" },
    { label: t("intake.source"), cell: ({ source }) => t(`intake.source.${source}`) },
    {
      label: t("intake.one"),
      cell: ({ submission_id: submissionId, submitted_at }) => (
        <Link
          to="/intake-review/$submissionId"
          params={{ submissionId }}
          aria-label={t("intake.open_of", { at: formatDateTime(submitted_at, zone) })}
        >
          {t("intake.open")}
        </Link>
      ),
    },
  ];
  return (
    <Page title={t("intake.review")}>
      <p className={layout.muted}>{t("intake.review_text")}</p>
      <FoldedCard title={t("intake.new_link")}>
        <LinkForm />
      </FoldedCard>
      <search className={layout.filters} aria-label={t("common.filters")}>
        <NativeSelect
          label={t("intake.state")}
          value={state}
          onChange={({ currentTarget: { value } }) => void navigate({ search: { state: value }, replace: true })}
          data={STATES.map((value) => ({ value, label: t(`intake.state.${value}`) }))}
        />
      </search>
      <DataTable
        label={t("intake.review")}
        query={query}
        columns={columns}
        rowKey={({ submission_id }) => submission_id}
        empty={t("intake.none")}
      />
    </Page>
  );
}

function LinkForm() {
  const t = useTranslation();
  const getKey = useIdempotencyKey();
  const [fields, setFields] = useState<readonly FormField[]>(["first_name", "last_name", "date_of_birth", "chief_complaint"]);
  const [question, setQuestion] = useState("");
  const [url, setUrl] = useState<string | null>(null);
  const questions = question.trim() === "" ? [] : [{ key: "question", label: question.trim() }];
  const validate = (): FieldErrors => (fields.length + questions.length > 0 ? {} : { fields: t("intake.asks_nothing") });
  async function submit(): Promise<void> {
    const json = { fields: [...fields], questions, language: getLanguage() };
    setUrl((await createLink(json, getKey(json))).url);
  }
  const toggle = (name: FormField, isChosen: boolean) =>
    setFields(FIELDS.filter((one) => (one === name ? isChosen : fields.includes(one))));
  return (
    <div className={layout.stack}>
      <p>{t("intake.link_text")}</p>
      <Form submitLabel={t("intake.make")} validate={validate} onSubmit={submit} labels={{ fields: t("intake.asks") }}>
        {(field) => (
          <>
            <Checkbox.Group label={t("intake.asks")} value={[...fields]} {...field("fields")}>
              <div className={layout.acts}>
                {FIELDS.map((name) => (
                  <Checkbox
                    key={name}
                    value={name}
                    label={t(`intake.field.${name}`)}
                    checked={fields.includes(name)}
                    onChange={(event) => toggle(name, event.currentTarget.checked)}
                  />
                ))}
              </div>
            </Checkbox.Group>
            <TextInput
              label={t("intake.question")}
              maxLength={200}
              value={question}
              onChange={(event) => setQuestion(event.currentTarget.value)}
              {...field("questions")}
            />
          </>
        )}
      </Form>
      {url !== null && <NewLink url={url} />}
    </div>
  );
}

function NewLink({ url }: { url: string }) {
  const t = useTranslation();
  const copy = () => void navigator.clipboard.writeText(url).then(() => announce(t("intake.copied")));
  return (
    <>
      <Textarea label={t("intake.link")} value={url} readOnly autosize />
      <div className={layout.acts}>
        <Button variant="default" onClick={copy}>
          {t("intake.copy")}
        </Button>
      </div>
    </>
  );
}
