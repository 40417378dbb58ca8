// What was asked before a visit, answer by answer as it was given, and taking a new one.
import { Button, Textarea } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Dialog } from "../design/dialog.tsx";
import { type FieldErrors, Form } from "../design/form.tsx";
import { Card } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { dateTime } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { announce } from "../shell/announcer.tsx";
import classes from "./history.module.css";
import { isTooLong, linesOf, listProblem } from "./lines.ts";
import { type Intake, listIntakes, listTeam, recordIntake } from "./record-api.ts";
import { usePatientRecord } from "./shown-patient.ts";

type OfPatient = { patientId: string; zone: string | undefined };

export function Intakes({ patientId, zone }: OfPatient) {
  const say = useSay();
  const [taking, setTaking] = useState(false);
  const query = useQuery({ queryKey: ["patients", patientId, "intakes"], queryFn: () => listIntakes(patientId) });
  return (
    <Card
      title={say("record.intakes")}
      actions={
        <Button variant="default" onClick={() => setTaking(true)}>
          {say("record.new_intake")}
        </Button>
      }
    >
      <Query query={query}>
        {(intakes) =>
          intakes.length === 0 ? (
            <p>{say("record.no_intake")}</p>
          ) : (
            <ul className={classes.list}>
              {intakes.map((intake) => (
                <li key={intake.intake_id} className={classes.block}>
                  <Answers intake={intake} zone={zone} />
                </li>
              ))}
            </ul>
          )
        }
      </Query>
      {taking && <NewIntake patientId={patientId} onClose={() => setTaking(false)} />}
    </Card>
  );
}

function Answers({ intake, zone }: { intake: Intake; zone: string | undefined }) {
  const say = useSay();
  const name = useAuthor(intake);
  const at = dateTime(intake.authored_at, zone);
  const answers = [
    [say("record.complaint"), intake.chief_complaint ?? ""],
    [say("record.symptoms"), intake.symptoms.join(", ")],
    [say("record.allergies"), intake.allergies.join(", ")],
    [say("record.medications"), intake.medications.join(", ")],
    ...Object.entries(intake.answers),
  ].filter(([, answer]) => answer !== "");
  return (
    <>
      <strong>{name ? say("record.taken_by", { at, name }) : at}</strong>
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

/** Null for somebody of whom the API tells this caller no name, as of the patient. */
function useAuthor({ authored_by: author, patient_id: patientId }: Intake): string | null {
  const say = useSay();
  const me = useMe();
  const team = useQuery({ queryKey: ["patients", patientId, "care_team"], queryFn: () => listTeam(patientId) });
  if (author === me.user_id) return say("record.you");
  return team.data?.find(({ user_id }) => user_id === author)?.full_name ?? null;
}

const LISTS = ["symptoms", "allergies", "medications"] as const;
const LONGEST_COMPLAINT = 2_000;

function NewIntake({ patientId, onClose }: { patientId: string; onClose: () => void }) {
  const say = useSay();
  const queries = useQueryClient();
  const record = usePatientRecord(patientId);
  const [key] = useState(() => crypto.randomUUID());
  const [complaint, setComplaint] = useState("");
  // The symptoms of an intake take the place of the present ones, so it begins with those.
  const [lists, setLists] = useState({ symptoms: record.data?.data.symptoms.join("\n") ?? "", allergies: "", medications: "" });
  const labels = {
    chief_complaint: say("record.complaint"),
    symptoms: say("record.symptoms"),
    allergies: say("record.allergies"),
    medications: say("record.medications"),
  };

  function check(): FieldErrors {
    const wrong = LISTS.flatMap((list) => {
      const problem = listProblem(linesOf(lists[list]));
      return problem ? [[list, say(problem)] as const] : [];
    });
    return {
      ...(isTooLong(complaint, LONGEST_COMPLAINT) && { chief_complaint: say("record.too_long") }),
      ...Object.fromEntries(wrong),
    };
  }
  async function save() {
    const intake = {
      chief_complaint: complaint.trim() || null,
      symptoms: linesOf(lists.symptoms),
      allergies: linesOf(lists.allergies),
      medications: linesOf(lists.medications),
    };
    await recordIntake(patientId, intake, key);
    await queries.invalidateQueries({ queryKey: ["patients", patientId] });
    announce(say("common.saved"));
    onClose();
  }

  return (
    <Dialog title={say("record.new_intake")} onClose={onClose} wide>
      <p>{say("record.intake_effect")}</p>
      <Form submit={say("record.save_intake")} check={check} onSubmit={save} onCancel={onClose} labels={labels}>
        {(field) => (
          <>
            <Textarea
              {...field("chief_complaint")}
              label={labels.chief_complaint}
              rows={2}
              value={complaint}
              onChange={(event) => setComplaint(event.target.value)}
            />
            {LISTS.map((list) => (
              <Textarea
                key={list}
                {...field(list)}
                label={labels[list]}
                description={say("record.one_a_line")}
                rows={3}
                value={lists[list]}
                onChange={(event) => setLists({ ...lists, [list]: event.target.value })}
              />
            ))}
          </>
        )}
      </Form>
    </Dialog>
  );
}
