// Alarm action hook: no optimistic update; a state shows only after the server confirms it.
import { useState } from "react";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { type Problem, toProblem } from "../../platform/api/problem.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { applyAlert } from "../live/patient-store.ts";
import { type AlarmAction, performAlarmAction } from "./api.ts";

export type FailedAction = { kind: AlarmAction["kind"]; problem: Problem };
type ActionState = { busy: AlarmAction["kind"] | null; failure: FailedAction | null };

/** @returns `does` resolves to the error, or null on success; an error stays until the next attempt */
export function useAlarmAction(alert: Pick<AlertView, "alert_id">) {
  const [actionState, setActionState] = useState<ActionState>({ busy: null, failure: null });
  async function runAction(action: AlarmAction): Promise<Problem | null> {
    setActionState({ busy: action.kind, failure: null });
    try {
      const { events: _, ...after } = await performAlarmAction(alert.alert_id, action);
      applyAlert(after);
      setActionState({ busy: null, failure: null });
      return null;
    } catch (error) {
      const problem = toProblem(error);
      setActionState({ busy: null, failure: { kind: action.kind, problem } });
      return problem;
    } finally {
      void queryClient.invalidateQueries({ queryKey: ["alerts"] });
    }
  }
  return { ...actionState, does: runAction };
}
