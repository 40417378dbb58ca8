// A patient's question about an access of the own log: the button, its dialog, and the answer.
import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { Dialog } from "../platform/design/dialog.tsx";
import { Form } from "../platform/design/form.tsx";
import { formatDate, formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { useTranslation } from "../platform/messages/translate.ts";
import { askQuestion, type OwnQuestion, useOwnQuestions } from "./api.ts";
import classes from "./privacy.module.css";

const MIN_LENGTH = 3;
const MAX_LENGTH = 1_000;

type AskedEvent = { id: string; recorded: string };
type AccessQuestionProps = { events: readonly AskedEvent[]; zone: string | undefined };

/** @param events of one row, newest first; a new question is about the newest */
export function AccessQuestion({ events, zone }: AccessQuestionProps) {
  const t = useTranslation();
  const [isAsking, setIsAsking] = useState(false);
  const { data } = useOwnQuestions();
  const asked = data?.items.find(({ event_id }) => events.some(({ id }) => id === event_id));
  const [newest] = events;
  if (asked) return <AskedQuestion question={asked} zone={zone} />;
  if (!newest || !data) return null;
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        onClick={() => setIsAsking(true)}
        aria-label={t("privacy.ask_about", { time: formatDateTime(newest.recorded, zone) })}
      >
        {t("privacy.ask")}
      </Button>
      {isAsking && (
        <AskDialog
          title={t("privacy.ask_title")}
          intro={t("privacy.ask_text", { time: formatDateTime(newest.recorded, zone) })}
          hint={t("privacy.your_question_hint")}
          send={(text) => askQuestion(newest.id, text)}
          onClose={() => setIsAsking(false)}
        />
      )}
    </>
  );
}

export function AskedQuestion({ question, zone }: { question: OwnQuestion; zone: string | undefined }) {
  const t = useTranslation();
  const { asked_at, answered_at, outcome, answer, text } = question;
  const own = text !== null && <p className={classes.text}>{t("privacy.asked_text", { text })}</p>;
  if (outcome === null || answered_at === null)
    return (
      <div className={layout.words}>
        {t("privacy.asked", { at: formatDate(asked_at, zone) })}
        {own}
      </div>
    );
  return (
    <details>
      <summary>{t("privacy.answered", { outcome: t(`privacy.outcome.${outcome}`) })}</summary>
      {own}
      <p className={layout.muted}>{t("privacy.answer_of", { at: formatDateTime(answered_at, zone) })}</p>
      <p className={classes.text}>{answer}</p>
    </details>
  );
}

type AskDialogProps = {
  title: string;
  intro: string;
  hint: string;
  send: (text: string) => Promise<unknown>;
  onClose: () => void;
};

export function AskDialog({ title, intro, hint, send, onClose }: AskDialogProps) {
  const t = useTranslation();
  const [text, setText] = useState("");
  const isTooShort = text.trim() !== "" && text.trim().length < MIN_LENGTH;
  const submit = () => send(text.trim()).then(onClose);
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{intro}</p>
      <Form
        submitLabel={t("privacy.send")}
        validate={() => ({ ...(isTooShort && { text: t("privacy.question_short") }) })}
        onSubmit={submit}
        onCancel={onClose}
        labels={{ text: t("privacy.your_question") }}
      >
        {(field) => (
          <Textarea
            {...field("text")}
            label={t("privacy.your_question")}
            description={hint}
            autosize
            minRows={3}
            maxLength={MAX_LENGTH}
            value={text}
            onChange={({ target }) => setText(target.value)}
            data-autofocus
          />
        )}
      </Form>
    </Dialog>
  );
}
