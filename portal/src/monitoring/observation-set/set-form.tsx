// Form for a set of observations: its score is confirmed by the button that files it.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Problem } from "../../platform/api/problem.ts";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { formatNumber } from "../../platform/design/format.ts";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { serverNow } from "../live/server-clock.ts";
import { formatUcumUnit } from "../vitals/chart-catalogue.ts";
import { formatParameters } from "../vitals/news2.tsx";
import type { FiledSet } from "./api.ts";
import classes from "./observation-set.module.css";
import { dropUnsent, newSet, submitSet } from "./outbox.ts";
import { describeRefusal } from "./refusal-text.ts";
import { ScorePanel } from "./score-panel.tsx";
import {
  type Fault,
  FIELDS,
  type Field,
  findFaults,
  findField,
  findMissing,
  formScore,
  type Scoring,
  type SetBody,
  type SetDraft,
  toBody,
} from "./set-draft.ts";
import { SetFields } from "./set-fields.tsx";
import { readServerScore, type ServerScore, toRefusal, type WaitingSet } from "./waiting-set.ts";

export type Outcome = { kind: "filed"; answer: FiledSet; isPartial: boolean } | { kind: "waiting" };

type SetFormProps = {
  patientId: string;
  scale: 1 | 2;
  scoring: Scoring;
  zone: string | undefined;
  draft: SetDraft;
  /** Id of the refused set that this one corrects. */
  replaces: string | null;
  onDraft: (draft: SetDraft) => void;
  onDone: (outcome: Outcome) => void;
};

export function SetForm({ patientId, scale, scoring, zone, draft, replaces, onDraft, onDone }: SetFormProps) {
  const t = useTranslation();
  const client = useQueryClient();
  /** The score of the service for these values: undefined while it has not contradicted, null for none. */
  const [serverScore, setServerScore] = useState<ServerScore | null | undefined>(undefined);
  /** Neither filed nor kept: it may be stored all the same, so that only its own key is safe to use again. */
  const [unsent, setUnsent] = useState<WaitingSet | null>(null);
  const forming = formScore(draft, scale);
  const isScored = scoring.notApplicable === null && serverScore !== null;
  const missing = findMissing(draft, isScored);
  const confirmedScore: ServerScore | null = serverScore ?? forming.complete;

  const validate = () => {
    const faults = findFaults(draft, { band: scoring.band, isScored, now: serverNow(), zone });
    const entries = FIELDS.flatMap((field): [Field, string][] => {
      const fault = faults[field];
      return fault ? [[field, describeFault(fault, t)]] : [];
    });
    return Object.fromEntries(entries) satisfies FieldErrors;
  };

  async function submit() {
    const body = toBody(draft, { scale, isScored, now: serverNow(), zone }, confirmedScore?.score ?? null);
    const isRetry = unsent !== null && isSameSet(unsent.body, body, draft);
    if (unsent && !isRetry) await dropUnsent(unsent);
    const set = isRetry ? unsent : newSet(patientId, body);
    const submission = await submitSet(set, replaces);
    if (submission.kind === "refused") return handleRefusal(submission.problem, body);
    if (submission.kind === "not_kept") {
      setUnsent(submission.set);
      throw new Problem(0, "not_kept", t(`set.not_kept.${submission.why}`), null);
    }
    if (submission.kind === "waiting") return onDone(submission);
    await client.invalidateQueries({ queryKey: ["vitals", patientId] });
    onDone({ ...submission, isPartial: body.partial_reason !== undefined });
  }

  /** @throws Problem always */
  async function handleRefusal(problem: Problem, body: SetBody): Promise<never> {
    const { status, code, errorId } = problem;
    if (code === "score_changed") setServerScore(readServerScore(problem));
    // What the score depends on may have changed elsewhere.
    if (status === 409) {
      await client.invalidateQueries({ queryKey: ["rules", "monitoring", patientId] });
      await client.invalidateQueries({ queryKey: ["patients", patientId, "record"] });
    }
    const errors = problem.errors.map((error) => ({ ...error, path: findField(error.path, body) ?? error.path }));
    throw new Problem(status, code, describeRefusal(toRefusal(problem), t), errorId, errors);
  }

  const labels = Object.fromEntries(
    FIELDS.flatMap((field) => (field === "partial_reason" ? [] : [[field, describeField(field, t)]])),
  );
  return (
    <div className={classes.form}>
      <Form
        submitLabel={describeSubmit({ isScored, isPartial: missing.length > 0, confirmedScore }, t)}
        validate={validate}
        onSubmit={submit}
        // A set is kept while there is no network.
        isMutation={false}
        labels={labels}
      >
        {(field) => (
          <div className={classes.columns}>
            <SetFields
              field={field}
              draft={draft}
              scale={scale}
              scoring={scoring}
              parts={isScored ? forming.parts : {}}
              isComplete={missing.length === 0}
              zone={zone}
              onDraft={(next) => {
                setServerScore(undefined);
                onDraft(next);
              }}
            />
            <ScorePanel notApplicable={scoring.notApplicable} forming={forming} missing={isScored ? missing : []} />
          </div>
        )}
      </Form>
    </div>
  );
}

/** Whether the form still has this set; its time may be an earlier "now". */
function isSameSet(sent: SetBody, body: SetBody, { measuredAt }: SetDraft): boolean {
  const at = measuredAt === null ? sent.effective_at : body.effective_at;
  return JSON.stringify(sent) === JSON.stringify({ ...body, effective_at: at });
}

type Translate = ReturnType<typeof useTranslation>;

function describeSubmit(
  set: { isScored: boolean; isPartial: boolean; confirmedScore: ServerScore | null },
  t: Translate,
): string {
  if (set.isPartial) return t("set.submit_partial");
  if (!set.isScored || set.confirmedScore === null) return t("set.submit_unscored");
  const { score, risk } = set.confirmedScore;
  return t("set.submit", { score, risk: translateCode("vitals.risk", risk) });
}

function describeField(field: Field, t: Translate): string {
  switch (field) {
    case "systolic":
    case "diastolic":
      return `${t("set.pressure")}, ${t(`set.${field}`)}`;
    case "heart_rate":
      return t("set.pulse");
    case "oxygen":
      return t("set.oxygen");
    case "effective_at":
      return t("set.measured");
    default:
      return translateCode("vital", field);
  }
}

function describeFault(fault: Fault, t: Translate): string {
  switch (fault.kind) {
    case "implausible": {
      const [min, max] = [formatNumber(fault.min), formatNumber(fault.max)];
      return t("set.fault.implausible", { min, max, unit: formatUcumUnit(fault.unit) });
    }
    case "other_unit":
      return t("set.fault.other_unit", { unit: formatUcumUnit(fault.unit) });
    case "missing":
      return fault.what.length < 7 ? t("set.fault.missing", { what: formatParameters(fault.what) }) : t("set.fault.nothing");
    default:
      return t(`set.fault.${fault.kind}`);
  }
}
