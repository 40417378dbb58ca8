// Intakes: questions and answers before a visit, and recording a new one.
import { Button, Textarea } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useMe } from "../../accounts/session/use-session.ts";
import { Dialog } from "../../platform/design/dialog.tsx";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import { Card } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import { getLinesError, isTooLong, splitLines } from "../text-lines.ts";
import classes from "./history.module.css";
import { careTeamQuery, type Intake, recordIntake, useIntakes } from "./record-api.ts";
import { useIsReadOnly, usePatientRecord } from "./use-patient-record.ts";

type PatientProps = { patientId: string; zone: string | undefined };

export function Intakes({ patientId, zone }: PatientProps) {
  const t = useTranslation();
  const [isAdding, setIsAdding] = useState(false);
  const isReadOnly = useIsReadOnly(patientId);
  return (
    <Card
      title={t("record.intakes")}
      actions={
        !isReadOnly && (
          <Button variant="default" onClick={() => setIsAdding(true)}>
            {t("record.new_intake")}
          </Button>
        )
      }
    >
      <IntakeList patientId={patientId} zone={zone} />
      {isAdding && <NewIntakeDialog patientId={patientId} onClose={() => setIsAdding(false)} />}
    </Card>
  );
}

/** @param isShared whether another hospital shares the record: the names of its staff are not known here */
export function IntakeList({ patientId, zone, isShared = false }: PatientProps & { isShared?: boolean }) {
  const t = useTranslation();
  const query = useIntakes(patientId);
  return (
    <>
      <QueryBoundary query={query}>
        {({ pages }) =>
          pages[0]?.items.length === 0 ? (
            <p>{t("record.no_intake")}</p>
          ) : (
            <ul className={classes.list}>
              {pages
                .flatMap(({ items }) => items)
                .map((intake) => (
                  <li key={intake.intake_id} className={classes.block}>
                    <IntakeAnswers intake={intake} zone={zone} isShared={isShared} />
                  </li>
                ))}
            </ul>
          )
        }
      </QueryBoundary>
      {query.hasNextPage && (
        <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("common.show_more")}
        </Button>
      )}
    </>
  );
}

type AnswersProps = { intake: Intake; zone: string | undefined; isShared: boolean };

function IntakeAnswers({ intake, zone, isShared }: AnswersProps) {
  const t = useTranslation();
  const name = useAuthorName(intake, isShared);
  const at = formatDateTime(intake.authored_at, zone);
  const answers = [
    [t("record.complaint"), intake.chief_complaint ?? ""],
    [t("record.symptoms"), intake.symptoms.join(", ")],
    [t("record.allergies"), intake.allergies.join(", ")],
    [t("record.medications"), intake.medications.join(", ")],
    ...Object.entries(intake.answers),
  ].filter(([, answer]) => answer !== "");
  return (
    <>
      <strong>{name ? t("record.taken_by", { at, name }) : at}</strong>
      <dl className={classes.told}>
        {answers.map(([question, answer]) => (
          <div key={question}>
            <dt>{question}</dt>
            <dd>{answer}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

/** Null when the API tells the caller no name, e.g. of the patient. */
function useAuthorName({ authored_by: author, patient_id: patientId }: Intake, isShared: boolean): string | null {
  const t = useTranslation();
  const me = useMe();
  const team = useQuery({ ...careTeamQuery(patientId), enabled: !isShared });
  if (author === me.user_id) return t("record.you");
  return team.data?.find(({ user_id }) => user_id === author)?.full_name ?? null;
}

const LIST_FIELDS = ["symptoms", "allergies", "medications"] as const;
const MAX_COMPLAINT_LENGTH = 2_000;

function NewIntakeDialog({ patientId, onClose }: { patientId: string; onClose: () => void }) {
  const t = useTranslation();
  const queryClient = useQueryClient();
  const record = usePatientRecord(patientId);
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [complaint, setComplaint] = useState("");
  // An intake's symptoms replace the current ones, so the form starts with those.
  const [lists, setLists] = useState({ symptoms: record.data?.data.symptoms.join("\n") ?? "", allergies: "", medications: "" });
  const labels = {
    chief_complaint: t("record.complaint"),
    symptoms: t("record.symptoms"),
    allergies: t("record.allergies"),
    medications: t("record.medications"),
  };

  function validate(): FieldErrors {
    const listErrors = LIST_FIELDS.flatMap((listField) => {
      const problem = getLinesError(splitLines(lists[listField]));
      return problem ? [[listField, t(problem)] as const] : [];
    });
    return {
      ...(isTooLong(complaint, MAX_COMPLAINT_LENGTH) && { chief_complaint: t("record.too_long") }),
      ...Object.fromEntries(listErrors),
    };
  }
  async function save() {
    const intake = {
      chief_complaint: complaint.trim() || null,
      symptoms: splitLines(lists.symptoms),
      allergies: splitLines(lists.allergies),
      medications: splitLines(lists.medications),
    };
    await recordIntake(patientId, intake, idempotencyKey);
    await queryClient.invalidateQueries({ queryKey: ["patients", patientId] });
    announce(t("common.saved"));
    onClose();
  }

  return (
    <Dialog title={t("record.new_intake")} onClose={onClose} wide>
      <p>{t("record.intake_effect")}</p>
      <Form submitLabel={t("record.save_intake")} validate={validate} onSubmit={save} onCancel={onClose} labels={labels}>
        {(field) => (
          <>
            <Textarea
              {...field("chief_complaint")}
              label={labels.chief_complaint}
              rows={2}
              value={complaint}
              onChange={(event) => setComplaint(event.target.value)}
            />
            {LIST_FIELDS.map((listField) => (
              <Textarea
                key={listField}
                {...field(listField)}
                label={labels[listField]}
                description={t("record.one_a_line")}
                rows={3}
                value={lists[listField]}
                onChange={(event) => setLists({ ...lists, [listField]: event.target.value })}
              />
            ))}
          </>
        )}
      </Form>
    </Dialog>
  );
}
