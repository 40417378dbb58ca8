// Error of an alarm action; states that the alarm is unchanged.
import { ErrorId } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import classes from "./alarm-card.module.css";
import type { FailedAction } from "./use-alarm-action.ts";

export function AlarmActionError({ failure }: { failure: FailedAction | null }) {
  const t = useTranslation();
  if (!failure) return null;
  const { kind, problem } = failure;
  const text =
    problem.code === "unexpected"
      ? t("common.unexpected_change")
      : problem.code === "unreachable" || problem.status >= 500
        ? t(kind === "acknowledge" ? "alarms.no_answer" : "alarms.act_no_answer")
        : problem.code === "conflict"
          ? t("alarms.over")
          : t("common.not_done", { detail: problem.message });
  return (
    <div className={classes.refusal} role="alert">
      {text}
      <ErrorId problem={problem} />
    </div>
  );
}
