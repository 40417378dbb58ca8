// Why something was not done to an alarm, and that the alarm is as it was.
import { ErrorId } from "../design/states.tsx";
import { useSay } from "../messages/index.ts";
import classes from "./alarm-card.module.css";
import type { Refused } from "./use-act.ts";

export function Refusal({ refused }: { refused: Refused | null }) {
  const say = useSay();
  if (!refused) return null;
  const { kind, problem } = refused;
  const text =
    problem.code === "unexpected"
      ? say("common.unexpected_change")
      : problem.code === "unreachable" || problem.status >= 500
        ? say(kind === "acknowledge" ? "alarms.no_answer" : "alarms.act_no_answer")
        : problem.code === "conflict"
          ? say("alarms.over")
          : say("common.not_done", { detail: problem.message });
  return (
    <div className={classes.refusal} role="alert">
      {text}
      <ErrorId problem={problem} />
    </div>
  );
}
