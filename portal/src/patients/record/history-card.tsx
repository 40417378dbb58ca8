// Medical history, symptoms and notes, and editing them without overwriting concurrent changes.
import { Button, Textarea } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import layout from "../../platform/design/layout.module.css";
import { Card } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import type { Patient } from "../api.ts";
import { getLinesError, isTooLong, splitLines } from "../text-lines.ts";
import classes from "./history.module.css";
import { changePatient } from "./record-api.ts";
import { useIsReadOnly, usePatientRecord } from "./use-patient-record.ts";

const MAX_TEXT_LENGTH = 20_000;

export function HistoryCard({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const record = usePatientRecord(patientId);
  const isReadOnly = useIsReadOnly(patientId);
  // State when editing began: the change is sent with its ETag, whatever was loaded since.
  const [editing, setEditing] = useState<{ data: Patient; etag: string } | null>(null);
  const reload = async () => {
    const { data } = await record.refetch();
    setEditing(data ?? null);
  };
  return (
    <Card
      title={t("record.medical_history")}
      actions={
        !editing &&
        !isReadOnly &&
        record.data && (
          <Button variant="default" onClick={() => setEditing(record.data)}>
            {t("record.edit_history")}
          </Button>
        )
      }
    >
      {editing ? (
        <HistoryForm key={editing.etag} {...editing} reload={reload} onDone={() => setEditing(null)} />
      ) : (
        <QueryBoundary query={record}>{({ data }) => <HistoryView patient={data} />}</QueryBoundary>
      )}
    </Card>
  );
}

function HistoryView({ patient: { medical_history: history, symptoms, notes } }: { patient: Patient }) {
  const t = useTranslation();
  const emptyText = <span className={layout.muted}>{t("record.no_history")}</span>;
  return (
    <dl className={classes.told}>
      <dt>{t("record.symptoms")}</dt>
      <dd>{symptoms.length > 0 ? symptoms.join(", ") : emptyText}</dd>
      <dt>{t("record.medical_history")}</dt>
      <dd>{history || emptyText}</dd>
      <dt>{t("record.notes")}</dt>
      <dd>{notes || emptyText}</dd>
    </dl>
  );
}

type HistoryFormProps = { data: Patient; etag: string; reload: () => Promise<void>; onDone: () => void };

function HistoryForm({ data, etag, reload, onDone }: HistoryFormProps) {
  const t = useTranslation();
  const queryClient = useQueryClient();
  const [symptoms, setSymptoms] = useState(data.symptoms.join("\n"));
  const [history, setHistory] = useState(data.medical_history ?? "");
  const [notes, setNotes] = useState(data.notes ?? "");

  function validate(): FieldErrors {
    const symptomsError = getLinesError(splitLines(symptoms));
    return {
      ...(symptomsError && { symptoms: t(symptomsError) }),
      ...(isTooLong(history, MAX_TEXT_LENGTH) && { medical_history: t("record.too_long") }),
      ...(isTooLong(notes, MAX_TEXT_LENGTH) && { notes: t("record.too_long") }),
    };
  }
  async function save() {
    await changePatient(data.patient_id, etag, {
      symptoms: splitLines(symptoms),
      medical_history: history.trim() || null,
      notes: notes.trim() || null,
    });
    await queryClient.invalidateQueries({ queryKey: ["patients", data.patient_id] });
    announce(t("common.saved"));
    onDone();
  }

  return (
    <>
      <Form
        submitLabel={t("common.save")}
        validate={validate}
        onSubmit={save}
        onCancel={onDone}
        labels={{
          symptoms: t("record.symptoms"),
          medical_history: t("record.medical_history"),
          notes: t("record.notes"),
        }}
      >
        {(field) => (
          <>
            <Textarea
              {...field("symptoms")}
              label={t("record.symptoms")}
              description={t("record.one_a_line")}
              rows={4}
              value={symptoms}
              onChange={(event) => setSymptoms(event.target.value)}
            />
            <Textarea
              {...field("medical_history")}
              label={t("record.medical_history")}
              rows={8}
              value={history}
              onChange={(event) => setHistory(event.target.value)}
            />
            <Textarea
              {...field("notes")}
              label={t("record.notes")}
              rows={4}
              value={notes}
              onChange={(event) => setNotes(event.target.value)}
            />
          </>
        )}
      </Form>
      <Button variant="subtle" className={classes.again} onClick={() => void reload()}>
        {t("record.load_again")}
      </Button>
    </>
  );
}
