// Doing something to an alarm: nothing is shown as done before the server has said so.
import { useState } from "react";
import type { AlertView } from "../../../src/monitoring/patient-object/contract.ts";
import { asProblem, type Problem } from "../api/problem.ts";
import { queries } from "../api/queries.ts";
import { takeAlert } from "../live/store.ts";
import { type Act, act } from "./api.ts";

export type Refused = { kind: Act["kind"]; problem: Problem };
type Acting = { busy: Act["kind"] | null; refused: Refused | null };

/** @returns `does` answers what refused it, null when it was done; a refusal stays until the next try */
export function useAct(alert: Pick<AlertView, "alert_id">) {
  const [acting, setActing] = useState<Acting>({ busy: null, refused: null });
  async function does(what: Act): Promise<Problem | null> {
    setActing({ busy: what.kind, refused: null });
    try {
      const { events: _, ...after } = await act(alert.alert_id, what);
      takeAlert(after);
      setActing({ busy: null, refused: null });
      return null;
    } catch (error) {
      const problem = asProblem(error);
      setActing({ busy: null, refused: { kind: what.kind, problem } });
      return problem;
    } finally {
      void queries.invalidateQueries({ queryKey: ["alerts"] });
    }
  }
  return { ...acting, does };
}
