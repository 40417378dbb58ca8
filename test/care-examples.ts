// What the examples of the API's description name of availability, appointments and intake.
import { iso, nextFreeTime } from "./appointment-steps.ts";
import { newAppointmentRow, newLocationRow, newPractitionerRow, newSubmissionRow } from "./care-rows.ts";
import { API, newPerson, readJson, sendRequest, type World } from "./world.ts";

const DAY_MS = 86_400_000;
export const CARE_RULES = {
  ...{ self_booking: "request", lead_minutes: 60, window_days: 60, cancel_until_minutes: 120, max_open_own: 5 },
  ...{ proposal_minutes: 1440, offer_minutes: 30, noshow_after_minutes: 30 },
};

/** Rules and schedules have a version from now on. */
export async function setUpCare({ manager, hospitalId }: World, practitionerId: string): Promise<void> {
  const put = (path: string, json: object) => sendRequest(API + path, { as: manager, method: "PUT", json });
  await put(`/hospitals/${hospitalId}/care-settings`, CARE_RULES);
  const weekly = [1, 2, 3, 4, 5, 6, 7].map((day) => [day, 0, 1440]);
  await put(`/practitioners/${practitionerId}/availability`, { schedules: [{ weekly }] });
}

/** Ids by path parameter; where one operation would take what another needs, it has its own. */
export async function newCareExamples(world: World, practitionerId: string) {
  const { hospitalId, patient, nurse, manager } = world;
  await setUpCare(world, practitionerId);
  const from = Date.now() + 300 * DAY_MS;
  const span = { from: iso(from), until: iso(from + DAY_MS) };
  const dataOf = async (path: string, json: object) =>
    (await readJson(await sendRequest(API + path, { as: manager, json }))).data;
  const newAppointment = (change: Parameters<typeof newAppointmentRow>[1] = {}) =>
    newAppointmentRow(
      { hospitalId, patientId: patient.id, practitionerId, bookedBy: nurse.id },
      { startsAt: nextFreeTime(), ...change },
    );
  const newSubmission = (patientId: string | null) =>
    newSubmissionRow({ hospitalId, patientId, submittedBy: nurse.id }, { first_name: `Uma ${from}`, chief_complaint: "Cough" });
  const link = { fields: ["first_name", "last_name", "chief_complaint"] };
  const spare = await newPerson("nurse", hospitalId);
  return {
    /** One without appointments can be deleted. */
    free_practitioner_id: await newPractitionerRow(spare.id, hospitalId),
    location_id: await newLocationRow(hospitalId, manager.id),
    exception_id: (await dataOf(`/practitioners/${practitionerId}/availability/exceptions`, { kind: "leave", ...span }))
      .exception_id,
    closure_id: (await dataOf(`/hospitals/${hospitalId}/closures`, span)).exception_id,
    appointment_id: await newAppointment(),
    cancelled_appointment_id: await newAppointment(),
    missed_appointment_id: await newAppointment(),
    mistaken_appointment_id: await newAppointment(),
    proposed_appointment_id: await newAppointment({ status: "proposed", expiresAt: from }),
    intake_link_id: (await dataOf("/intake-links", link)).intake_link_id,
    intake_token: (await dataOf("/intake-links", link)).token,
    submission_id: await newSubmission(null),
    rejected_submission_id: await newSubmission(patient.id),
  };
}
export type CareExamples = Awaited<ReturnType<typeof newCareExamples>>;

/** The ids that an operation is sent with, where they are not those of its parameters. */
export function careIdsOf(name: string, ids: Record<string, string>): Record<string, string | undefined> {
  if (name === `DELETE ${API}/practitioners/{practitioner_id}`) return { practitioner_id: ids["free_practitioner_id"] };
  if (name.includes("/closures/")) return { exception_id: ids["closure_id"] };
  if (name.endsWith("/cancel") && name.includes("/appointments/")) return { appointment_id: ids["cancelled_appointment_id"] };
  if (name.endsWith("/no-show")) return { appointment_id: ids["missed_appointment_id"] };
  if (name.endsWith("/appointments/{appointment_id}/confirm")) return { appointment_id: ids["proposed_appointment_id"] };
  if (name === `DELETE ${API}/appointments/{appointment_id}`) return { appointment_id: ids["mistaken_appointment_id"] };
  if (name.endsWith("/intake-submissions/{submission_id}/reject")) return { submission_id: ids["rejected_submission_id"] };
  return {};
}

/** The body of an example with times ahead and a token that exists. */
export function careBodyOf(name: string, json: unknown, ids: Record<string, string>): object {
  const body = Object(json);
  if (name === `POST ${API}/appointments` || name.endsWith("/reschedule")) return { ...body, start: iso(nextFreeTime()) };
  if (/\/intake\/(open|submit)$/.test(name)) return { ...body, token: ids["intake_token"] };
  return body;
}

/** Operations that managers carry out, and those without an account. */
export const isOfManagers = (name: string): boolean =>
  /(POST|PATCH) .*\/locations|care-settings|closures|availability/.test(name);
export const isPublicCare = (name: string): boolean => /\/intake\/(open|submit)$/.test(name);
