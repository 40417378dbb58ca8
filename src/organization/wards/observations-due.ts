// The work list of a ward: whose set of observations is due, the most overdue first.
import type { Call } from "../../access/actor.ts";
import type { DueStatus } from "../../monitoring/vitals/rounds.ts";
import { unsealIdentity } from "../../patients/identity/sealed-fields.ts";
import { toIso } from "../../platform/time.ts";
import { type MonitoredPatient, readWatched } from "./board.ts";

/** `unknown`: the patient's object does not respond or has no data yet, so a set may be due. */
const ORDER: readonly (DueStatus | "unknown")[] = ["overdue", "never", "unknown", "due", "not_due", "paused"];

const statusOf = ({ snapshot }: MonitoredPatient) => snapshot?.observations.status ?? "unknown";
const timeOf = ({ snapshot }: MonitoredPatient) =>
  snapshot?.observations.due_at ?? snapshot?.observations.pause?.expected_return_at ?? "";

/** By status, then by the due time or the expected return, then by patient number. */
export function compareByDue(a: MonitoredPatient, b: MonitoredPatient): number {
  const byStatus = ORDER.indexOf(statusOf(a)) - ORDER.indexOf(statusOf(b));
  const [first, second] = [timeOf(a), timeOf(b)];
  return byStatus || Number(first > second) - Number(first < second) || a.row.patient_number - b.row.patient_number;
}

/** The patients of the ward's board who have sets due. @throws ApiError not_found */
export async function getObservationsDue(env: Env, anyCall: Call, wardId: string) {
  const { call, ward, watched, monitored } = await readWatched(env, anyCall, wardId, "ward.observations_due");
  const spot = monitored.filter((one) => ORDER.includes(statusOf(one))).toSorted(compareByDue);
  return {
    ward_id: ward.id,
    ward_name: ward.name,
    as_of: toIso(call.now),
    watched,
    patients: await Promise.all(
      spot.map(async ({ row, snapshot }) => {
        const { first_name, last_name } = await unsealIdentity(call.keys, row);
        return {
          patient_id: row.id,
          patient_number: row.patient_number,
          first_name,
          last_name,
          is_known: snapshot !== null,
          news2: snapshot?.news2 ?? null,
          observations: snapshot?.observations ?? null,
        };
      }),
    ),
  };
}
