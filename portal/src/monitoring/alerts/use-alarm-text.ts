// Text of an alarm with the value now and the value when it was raised.
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import { useConnection, useLivePatient, useServerNow } from "../live/use-live.ts";
import { type AlarmNow, getAlarmNow } from "./alarm-now.ts";
import { abbreviateAlarm, describeAlarm } from "./alarm-text.ts";

/** Often enough: values themselves arrive at once, and ages are in minutes when they matter. */
const AGE_UPDATE_MS = 5_000;

function useAlarmNow(alert: AlertView): AlarmNow | null {
  useTranslation();
  const patient = useLivePatient(alert.patient_id);
  const { status } = useConnection();
  const now = useServerNow(AGE_UPDATE_MS);
  return getAlarmNow(alert, patient, { now, connection: status });
}

/** "NEWS2 17 now, 7 when raised, up 10, threshold 7" */
export const useAlarmText = (alert: AlertView): string => describeAlarm(alert, useAlarmNow(alert));

/** The full text, and a short one for a board cell: "NEWS2 7 → 17". */
export function useAlarmTexts(alert: AlertView): { full: string; short: string } {
  const now = useAlarmNow(alert);
  return { full: describeAlarm(alert, now), short: abbreviateAlarm(alert, now) };
}
