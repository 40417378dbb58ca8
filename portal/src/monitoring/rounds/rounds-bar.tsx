// When the next set of a patient is due, the last attempt, and pauses: on the patient's vital signs.
import { Button, NativeSelect } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { MAX_PAUSE_MS, PAUSE_REASONS, type PauseReason } from "../../../../src/monitoring/vitals/rounds.ts";
import { useIsReadOnly } from "../../patients/record/use-patient-record.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { Dialog } from "../../platform/design/dialog.tsx";
import { Form } from "../../platform/design/form.tsx";
import { formatShortTime } from "../../platform/design/format.ts";
import { Card } from "../../platform/design/page.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import { applyObservations } from "../live/patient-store.ts";
import { useServerNow } from "../live/use-live.ts";
import { useCurrentVitals } from "../vitals/use-current-vitals.ts";
import { endPause, pauseObservations } from "./api.ts";
import { describeDue, judgeDue } from "./due-state.ts";
import classes from "./rounds.module.css";

const HOUR_MS = 3_600_000;
/** Choices of the expected return, hours ahead. */
const HOURS = [0.5, 1, 2, 4, 8, 12, 24, 72, 168] as const;
/** The server's clock may be ahead of the one that counts the hours. */
const CLOCK_MARGIN_MS = 60_000;

export function RoundsBar({ patientId, zone }: { patientId: string; zone: string | undefined }) {
  const t = useTranslation();
  const { currentVitals } = useCurrentVitals(patientId);
  const now = useServerNow();
  const client = useQueryClient();
  const isReadOnly = useIsReadOnly(patientId);
  const [opened, setOpened] = useState<"pause" | "end" | null>(null);
  if (!currentVitals) return null;
  const { observations, connection, alerts } = currentVitals;
  const state = judgeDue(observations, { now, connection });
  const dueText = describeDue(state, now, zone);
  const finish = async (changed: Parameters<typeof applyObservations>[1], said: string) => {
    applyObservations(patientId, changed);
    await client.invalidateQueries({ queryKey: ["vitals", patientId, "latest"] });
    announce(said);
  };
  const openTasks = [
    ...(alerts.size > 0 ? [t("rounds.open_alarms", { n: alerts.size })] : []),
    // The pause itself shows here while the dialog closes.
    ...(["none", "unknown", "paused"].includes(state.kind) ? [] : [dueText]),
  ];
  return (
    <Card>
      <div className={classes.bar} data-due={state.kind}>
        <strong>{t("rounds.title")}</strong>
        <span className={classes.due}>{dueText}</span>
        {observations?.last_attempt && (
          <span className={classes.note}>
            {t("rounds.last_attempt")}:{" "}
            {t("rounds.attempt", {
              reason: translateCode("rounds.reason", observations.last_attempt.reason),
              time: formatShortTime(observations.last_attempt.at, zone),
            })}
          </span>
        )}
        {!isReadOnly && (
          <Button size="compact-sm" variant="default" onClick={() => setOpened(state.kind === "paused" ? "end" : "pause")}>
            {t(state.kind === "paused" ? "rounds.end_pause" : "rounds.pause")}
          </Button>
        )}
      </div>
      {opened === "pause" && (
        <PauseDialog
          openTasks={openTasks}
          onClose={() => setOpened(null)}
          onPause={async (reason, hours) => {
            const until = Math.min(hours * HOUR_MS, MAX_PAUSE_MS[reason] - CLOCK_MARGIN_MS);
            const expected_return_at = new Date(now + until).toISOString();
            const { observations: changed } = await pauseObservations(patientId, { reason, expected_return_at });
            await finish(changed, t("rounds.paused_said"));
            setOpened(null);
          }}
        />
      )}
      {opened === "end" && (
        <ConfirmDialog
          title={t("rounds.end_pause")}
          confirmLabel={t("rounds.end_pause")}
          onConfirm={async () => {
            const { observations: changed } = await endPause(patientId);
            await finish(changed, t("rounds.ended_said"));
          }}
          onClose={() => setOpened(null)}
        >
          <p>{t("rounds.end_pause_text")}</p>
        </ConfirmDialog>
      )}
    </Card>
  );
}

type PauseDialogProps = {
  openTasks: readonly string[];
  onPause: (reason: PauseReason, hours: number) => Promise<void>;
  onClose: () => void;
};

function PauseDialog({ openTasks, onPause, onClose }: PauseDialogProps) {
  const t = useTranslation();
  const [reason, setReason] = useState<PauseReason>("procedure");
  const [hours, setHours] = useState(1);
  const choices = HOURS.filter((choice) => choice * HOUR_MS <= MAX_PAUSE_MS[reason]);
  const chosen = choices.find((choice) => choice === hours) ?? 1;
  const labelOf = (choice: number) =>
    choice > 24 ? t("rounds.pause_days", { n: choice / 24 }) : t("rounds.pause_hours", { n: choice });
  return (
    <Dialog title={t("rounds.pause")} onClose={onClose}>
      {openTasks.length > 0 && <p role="alert">{t("rounds.open_tasks", { what: openTasks.join(", ") })}</p>}
      <Form
        submitLabel={t("rounds.pause")}
        onSubmit={() => onPause(reason, chosen)}
        onCancel={onClose}
        labels={{ reason: t("rounds.pause_reason"), expected_return_at: t("rounds.pause_for") }}
      >
        {(field) => (
          <>
            <NativeSelect
              {...field("reason")}
              label={t("rounds.pause_reason")}
              data={PAUSE_REASONS.map((value) => ({ value, label: translateCode("rounds.pause_reason", value) }))}
              value={reason}
              onChange={({ currentTarget: { value } }) => setReason(PAUSE_REASONS.find((one) => one === value) ?? reason)}
            />
            <NativeSelect
              {...field("expected_return_at")}
              label={t("rounds.pause_for")}
              description={t("rounds.pause_note")}
              data={choices.map((choice) => ({ value: String(choice), label: labelOf(choice) }))}
              value={String(chosen)}
              onChange={({ currentTarget }) => setHours(Number(currentTarget.value))}
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}
