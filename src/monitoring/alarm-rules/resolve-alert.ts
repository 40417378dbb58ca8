// Clearing of an alert by hand.
import { PRESSURES } from "../vitals/catalogue.ts";
import type { RuleRun } from "./alarm-memory.ts";
import { clearAlert } from "./alert-lifecycle.ts";
import { ignoreCondition } from "./condition-rule.ts";
import { clearOnset } from "./limit-rule.ts";
import type { Alert } from "./model.ts";
import { ignoreScore } from "./news2-rule.ts";
import { ignorePressures } from "./pressure-group.ts";
import { ignoreOverdue } from "./rounds-rule.ts";
import { ignoreVital } from "./silence-rule.ts";
import { ignoreZero } from "./zero-rule.ts";

/** Clears an alert by hand. Only new evidence raises it again, not the values known now. */
export function resolveAlert(run: RuleRun, alert: Alert, by: string): void {
  clearAlert(run, alert, by);
  const vital = alert.code === null ? undefined : run.memory.vitals[alert.code];
  switch (alert.rule) {
    case "limit":
      if (alert.code !== null && PRESSURES.includes(alert.code)) ignorePressures(run.memory);
      if (vital) clearOnset(Object.assign(vital, { resolved: true }));
      break;
    case "rate":
      if (vital) vital.ratePoints = undefined;
      break;
    case "trend":
      if (vital) vital.baseline = undefined;
      break;
    case "unit":
      // The next doubtful value raises it again.
      break;
    case "news2":
      ignoreScore(run, alert);
      break;
    case "silence":
      ignoreVital(run.memory, alert.code ?? "");
      break;
    case "device_silence":
      delete run.memory.devices[alert.device ?? ""];
      break;
    case "observations_due":
      ignoreOverdue(run);
      break;
    case "technical":
      if (alert.code === null) ignoreCondition(run.memory, alert);
      else ignoreZero(run, alert.code);
  }
}
