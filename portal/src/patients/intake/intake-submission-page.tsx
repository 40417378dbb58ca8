// The review of one intake: each answer beside what the record says; nothing is chosen before somebody chooses it.
import { Button, Checkbox, Textarea, TextInput } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { toProblem, withErrorMessages } from "../../platform/api/problem.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { Table } from "../../platform/design/data-table.tsx";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import layout from "../../platform/design/layout.module.css";
import { Card, Page } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import { reject, type Submission, type Take, takeOver, useSubmission } from "./api.ts";
import { FIELDS } from "./intake-review-page.tsx";

type Taken = Take["take"][number];
const TAKEN: readonly Taken[] = [...FIELDS, "answers"];

const show = (value: unknown): string => (Array.isArray(value) ? value.join(", ") : typeof value === "string" ? value : "");
/** The answers to the form's own questions, each with its question. */
const showOthers = ({ answers, questions }: Submission): string =>
  Object.entries(answers.answers ?? {})
    .map(([key, text]) => `${questions.find((one) => one.key === key)?.label ?? key}: ${text}`)
    .join(" · ");
const answerOf = (submission: Submission, field: Taken): string =>
  field === "answers" ? showOthers(submission) : show(submission.answers[field]);
const currentOf = ({ current }: Submission, field: Taken): string =>
  show(new Map<string, unknown>(Object.entries(current ?? {})).get(field));

export function IntakeSubmissionPage() {
  const t = useTranslation();
  const { submissionId } = useParams({ from: "/signed-in/intake-review/$submissionId" });
  const query = useSubmission(submissionId);
  return (
    <Page title={t("intake.one")}>
      <p>
        <Link to="/intake-review">{t("intake.back")}</Link>
      </p>
      <QueryBoundary query={query}>{(submission) => <Review key={submission.version} submission={submission} />}</QueryBoundary>
    </Page>
  );
}

function Review({ submission }: { submission: Submission }) {
  const t = useTranslation();
  const { state, patient_id: patientId, reason, taken } = submission;
  const fieldName = (field: string) => t(`intake.field.${TAKEN.find((one) => one === field) ?? "answers"}`);
  return (
    <div className={layout.stack}>
      <Card>
        {patientId === null ? (
          <p>{t("intake.as_new")}</p>
        ) : (
          <p>
            {t("intake.into_record")}{" "}
            <Link to="/patients/$patientId" params={{ patientId }}>
              {t("intake.record")}
            </Link>
          </p>
        )}
        {state === "taken" && <p>{t("intake.taken_fields", { fields: taken.map(fieldName).join(", ") })}</p>}
        {state === "rejected" && <p>{t("intake.rejected", { reason: reason ?? "" })}</p>}
        {state === "submitted" ? <ReviewForm submission={submission} /> : <AnswerTable submission={submission} />}
      </Card>
    </div>
  );
}

type Choice = { chosen: readonly Taken[]; onToggle: (field: Taken, isChosen: boolean) => void };

function AnswerTable({ submission, choice }: { submission: Submission; choice?: Choice }) {
  const t = useTranslation();
  const answered = TAKEN.filter((field) => answerOf(submission, field) !== "");
  const name = (field: Taken) => t(`intake.field.${field}`);
  return (
    <Table
      label={t("intake.one")}
      items={answered}
      rowKey={(field) => field}
      columns={[
        { label: t("intake.one"), cell: name },
        { label: t("intake.answered"), cell: (field) => answerOf(submission, field) },
        ...(submission.current === null
          ? []
          : [{ label: t("intake.recorded"), cell: (field: Taken) => currentOf(submission, field) || t("intake.not_recorded") }]),
        ...(choice === undefined
          ? []
          : [
              {
                label: t("intake.take"),
                cell: (field: Taken) => (
                  <Checkbox
                    aria-label={t("intake.take_field", { field: name(field) })}
                    checked={choice.chosen.includes(field)}
                    onChange={(event) => choice.onToggle(field, event.currentTarget.checked)}
                  />
                ),
              },
            ]),
      ]}
    />
  );
}

function ReviewForm({ submission }: { submission: Submission }) {
  const t = useTranslation();
  const [chosen, setChosen] = useState<readonly Taken[]>([]);
  const [isSimilar, setIsSimilar] = useState(false);
  const [duplicateReason, setDuplicateReason] = useState("");
  const [isRejecting, setIsRejecting] = useState(false);
  const isNew = submission.patient_id === null;
  const validate = (): FieldErrors => {
    if (chosen.length === 0) return { take: t("intake.choose") };
    return isNew && !chosen.includes("first_name") ? { take: t("intake.needs_name") } : {};
  };
  async function submit(): Promise<void> {
    const json = {
      take: [...chosen],
      ...(isNew && { create: true as const }),
      ...(duplicateReason.trim() && { duplicate_reason: duplicateReason.trim() }),
    };
    const messages = { possible_duplicate: t("intake.duplicate") };
    await withErrorMessages(
      takeOver(submission, json).catch((error: unknown) => {
        if (toProblem(error).code === "possible_duplicate") setIsSimilar(true);
        throw error;
      }),
      messages,
    );
    announce(t("intake.done"));
  }
  const toggle = (field: Taken, isChosen: boolean) =>
    setChosen(TAKEN.filter((one) => (one === field ? isChosen : chosen.includes(one))));
  return (
    <>
      <Form
        submitLabel={t(isNew ? "intake.register" : "intake.take_over")}
        validate={validate}
        onSubmit={submit}
        labels={{ take: t("intake.take") }}
      >
        {(field) => {
          const { id, error } = field("take");
          return (
            <>
              <div id={id} tabIndex={-1}>
                <AnswerTable submission={submission} choice={{ chosen, onToggle: toggle }} />
                {error && <p role="alert">{error}</p>}
              </div>
              {isSimilar && (
                <TextInput
                  label={t("intake.duplicate_reason")}
                  maxLength={200}
                  value={duplicateReason}
                  onChange={(event) => setDuplicateReason(event.currentTarget.value)}
                  {...field("duplicate_reason")}
                />
              )}
            </>
          );
        }}
      </Form>
      <div className={layout.acts}>
        <Button variant="default" color="red" onClick={() => setIsRejecting(true)}>
          {t("intake.reject")}…
        </Button>
      </div>
      {isRejecting && <RejectDialog submission={submission} onClose={() => setIsRejecting(false)} />}
    </>
  );
}

function RejectDialog({ submission, onClose }: { submission: Submission; onClose: () => void }) {
  const t = useTranslation();
  const [reason, setReason] = useState("");
  return (
    <ConfirmDialog
      title={t("intake.reject")}
      confirmLabel={t("intake.reject")}
      disabled={reason.trim() === ""}
      onConfirm={() => reject(submission, reason.trim())}
      onClose={onClose}
    >
      <p>{t("intake.reject_text")}</p>
      <Textarea
        label={t("intake.reason")}
        required
        maxLength={500}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </ConfirmDialog>
  );
}
