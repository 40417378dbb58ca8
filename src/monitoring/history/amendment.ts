// A sample corrected by a person: marked as entered in error, or given another value. What it was before stays.
import { requirePatient } from "../../access/access.ts";
import { type Call, idOf } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { refuse } from "../../access/refusals.ts";
import { seal } from "../../platform/crypto.ts";
import { batch } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { atObject } from "../intake/ingest.ts";
import { readObservationId } from "../patient-object/samples/ids.ts";
import { byPerson } from "../patient-object/view.ts";

export type AmendmentInput =
  | { status: "amended"; value: number | string; unit?: string | undefined; reason: string }
  | { status: "entered-in-error"; reason: string };

const NOWHERE = { patientId: "", block: 0, index: 0 };
const PERSON = byPerson("");

/**
 * Corrects one sample. Its hour and the score follow; the reason is kept sealed with the sample and not in the trail.
 * @returns the sample as it counts now, with every earlier value, oldest first
 * @throws ApiError not_found, invalid_request (a value that cannot be, a unit that the vital does not have), unavailable
 */
export async function amendObservation(env: Env, call: Call, id: string, input: AmendmentInput) {
  const { db, keys, actor, now } = call;
  const { patientId, block, index } = readObservationId(id) ?? NOWHERE;
  const access = await requirePatient(call, { patient: patientId }, "observation:amend");
  const { role, basis, hospitalId, patient } = access;
  const sealed = await seal(keys.fields, { table: "corrections", column: "reason", id }, input.reason);
  const event = {
    event: "observation.amend",
    action: "U" as const,
    role,
    basis,
    hospitalId,
    entity: { type: "observation", id },
    subjects: [patient.id],
    detail: { status: input.status },
  };
  await batch(db, audit(db, actor, now, event));
  const { value, unit } =
    input.status === "amended" ? { value: input.value, unit: input.unit ?? null } : { value: null, unit: null };
  const by = byPerson(idOf(actor));
  const amendment = { status: input.status, value, unit, reason: sealed, by };
  const monitor = env.PATIENT_MONITOR.getByName(patient.id);
  // Asked once: a second time would stand in the history.
  const amended = await atObject(env, async () => monitor.amend({ block, index }, amendment), false);
  if (!("error" in amended)) return { ...amended.sample, history: amended.history.map(toEarlier) };
  if (amended.error === "not_found") {
    return refuse(call, "observation:amend", "not_found", { role, hospitalId, patientId: patient.id });
  }
  await batch(db, audit(db, actor, now, { ...event, outcome: "failed", reason: amended.error }));
  throw REFUSALS[amended.error]();
}

const REFUSALS = {
  implausible: () => field("value", "Not possible in a living body or not by this sensor"),
  unit_unknown: () => field("unit", "This unit is not known for this vital"),
};

function field(path: string, message: string): ApiError {
  return new ApiError("invalid_request", "Some fields are not valid; see errors.", {
    errors: [{ path, message, code: "custom" }],
  });
}

const toEarlier = ({ value, by, at }: { value: number; by: string; at: string }) => {
  const person = by.startsWith(PERSON);
  return { value, at, device_id: person ? null : by, performer_id: person ? by.slice(PERSON.length) : null };
};
