// Closes a privacy review with an outcome, and an answer or a note.
import { NativeSelect, Textarea } from "@mantine/core";
import { useState } from "react";
import { withErrorMessages } from "../platform/api/problem.ts";
import { Form } from "../platform/design/form.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { closeReview, OUTCOMES, type Outcome, type Review } from "./api.ts";

const MIN_LENGTH = 3;
const MAX_LENGTH = 2_000;

export function CloseForm({ review: { review_id, kind } }: { review: Review }) {
  const t = useTranslation();
  const [outcome, setOutcome] = useState<Outcome | "">("");
  const [note, setNote] = useState("");
  const noteLabel = t(kind === "emergency" ? "privacy.own_note" : "privacy.note");
  const validate = () => ({
    ...(outcome === "" && { outcome: t("common.required_choice") }),
    ...(note.trim().length < MIN_LENGTH && { note: t("privacy.note_short") }),
  });
  async function close() {
    if (outcome === "") return;
    await withErrorMessages(closeReview(review_id, outcome, note.trim()), { conflict: t("privacy.already_closed") });
  }
  return (
    <>
      <p>{t(kind === "emergency" ? "privacy.close_emergency_text" : "privacy.close_text")}</p>
      <Form
        submitLabel={t("privacy.close")}
        validate={validate}
        onSubmit={close}
        labels={{ outcome: t("privacy.outcome"), note: noteLabel }}
      >
        {(field) => (
          <>
            <NativeSelect
              {...field("outcome")}
              label={t("privacy.outcome")}
              withAsterisk
              value={outcome}
              onChange={({ target }) => setOutcome(OUTCOMES.find((one) => one === target.value) ?? "")}
              data={[
                { value: "", label: t("common.required_choice") },
                ...OUTCOMES.map((value) => ({ value, label: t(`privacy.outcome.${value}`) })),
              ]}
            />
            <Textarea
              {...field("note")}
              label={noteLabel}
              description={t("privacy.note_hint")}
              withAsterisk
              autosize
              minRows={3}
              maxLength={MAX_LENGTH}
              value={note}
              onChange={({ target }) => setNote(target.value)}
            />
          </>
        )}
      </Form>
    </>
  );
}
