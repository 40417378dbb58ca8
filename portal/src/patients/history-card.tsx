// Medical history, symptoms and notes, and changing them: what somebody else changed meanwhile is not overwritten.
import { Button, Textarea } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type FieldErrors, Form } from "../design/form.tsx";
import layout from "../design/layout.module.css";
import { Card } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { useSay } from "../messages/index.ts";
import { announce } from "../shell/announcer.tsx";
import type { Patient } from "./api.ts";
import classes from "./history.module.css";
import { isTooLong, linesOf, listProblem } from "./lines.ts";
import { changePatient } from "./record-api.ts";
import { usePatientRecord } from "./shown-patient.ts";

const LONGEST = 20_000;

export function HistoryCard({ patientId }: { patientId: string }) {
  const say = useSay();
  const record = usePatientRecord(patientId);
  // As it was when the editing began: its ETag is what the change is against, whatever was loaded since.
  const [editing, setEditing] = useState<{ data: Patient; etag: string } | null>(null);
  const again = async () => {
    const { data } = await record.refetch();
    setEditing(data ?? null);
  };
  return (
    <Card
      title={say("record.medical_history")}
      actions={
        !editing &&
        record.data && (
          <Button variant="default" onClick={() => setEditing(record.data)}>
            {say("record.edit_history")}
          </Button>
        )
      }
    >
      {editing ? (
        <HistoryForm key={editing.etag} {...editing} again={again} onDone={() => setEditing(null)} />
      ) : (
        <Query query={record}>{({ data }) => <History patient={data} />}</Query>
      )}
    </Card>
  );
}

function History({ patient: { medical_history: history, symptoms, notes } }: { patient: Patient }) {
  const say = useSay();
  const none = <span className={layout.muted}>{say("record.no_history")}</span>;
  return (
    <dl className={classes.told}>
      <dt>{say("record.symptoms")}</dt>
      <dd>{symptoms.length > 0 ? symptoms.join(", ") : none}</dd>
      <dt>{say("record.medical_history")}</dt>
      <dd>{history || none}</dd>
      <dt>{say("record.notes")}</dt>
      <dd>{notes || none}</dd>
    </dl>
  );
}

type HistoryFormProps = { data: Patient; etag: string; again: () => Promise<void>; onDone: () => void };

function HistoryForm({ data, etag, again, onDone }: HistoryFormProps) {
  const say = useSay();
  const queries = useQueryClient();
  const [symptoms, setSymptoms] = useState(data.symptoms.join("\n"));
  const [history, setHistory] = useState(data.medical_history ?? "");
  const [notes, setNotes] = useState(data.notes ?? "");

  function check(): FieldErrors {
    const wrong = listProblem(linesOf(symptoms));
    return {
      ...(wrong && { symptoms: say(wrong) }),
      ...(isTooLong(history, LONGEST) && { medical_history: say("record.too_long") }),
      ...(isTooLong(notes, LONGEST) && { notes: say("record.too_long") }),
    };
  }
  async function save() {
    await changePatient(data.patient_id, etag, {
      symptoms: linesOf(symptoms),
      medical_history: history.trim() || null,
      notes: notes.trim() || null,
    });
    await queries.invalidateQueries({ queryKey: ["patients", data.patient_id] });
    announce(say("common.saved"));
    onDone();
  }

  return (
    <>
      <Form
        submit={say("common.save")}
        check={check}
        onSubmit={save}
        onCancel={onDone}
        labels={{
          symptoms: say("record.symptoms"),
          medical_history: say("record.medical_history"),
          notes: say("record.notes"),
        }}
      >
        {(field) => (
          <>
            <Textarea
              {...field("symptoms")}
              label={say("record.symptoms")}
              description={say("record.one_a_line")}
              rows={4}
              value={symptoms}
              onChange={(event) => setSymptoms(event.target.value)}
            />
            <Textarea
              {...field("medical_history")}
              label={say("record.medical_history")}
              rows={8}
              value={history}
              onChange={(event) => setHistory(event.target.value)}
            />
            <Textarea
              {...field("notes")}
              label={say("record.notes")}
              rows={4}
              value={notes}
              onChange={(event) => setNotes(event.target.value)}
            />
          </>
        )}
      </Form>
      <Button variant="subtle" className={classes.again} onClick={() => void again()}>
        {say("record.load_again")}
      </Button>
    </>
  );
}
