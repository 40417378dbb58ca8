// In the authorization matrix, of appointments: ids, requests, and what an allowed call consumes.
import { nextFreeTime } from "./appointment-steps.ts";
import type { AuthzFixture, IdsOwner, ResourceIds, RouteBodies, RouteQueries, TestCaller } from "./authz.world.ts";
import { newAppointmentRow } from "./care-rows.ts";
import { env } from "./world.ts";

/** Members whose names end with `Id` are random in requests about what does not exist. */
export type CareIdsB = {
  /** Booked by staff; cells that confirm get a request. */
  appointmentId: string;
};

type Of = Pick<ResourceIds, "hospitalId" | "patientId" | "practitionerId">;
const newAppointment = ({ hospitalId, patientId, practitionerId }: Of, isProposed = false): Promise<string> => {
  const startsAt = nextFreeTime();
  const proposal = { status: "proposed", expiresAt: startsAt } as const;
  return newAppointmentRow(
    { hospitalId, patientId, practitionerId, bookedBy: "test" },
    { startsAt, ...(isProposed && proposal) },
  );
};

export const newCareIdsB = async ({ hospitalId, patient, practitionerId }: IdsOwner): Promise<CareIdsB> => ({
  appointmentId: await newAppointment({ hospitalId, patientId: patient.id, practitionerId }),
});

const anyVersion = { headers: { "If-Match": "*" } };
const startAhead = () => new Date(nextFreeTime()).toISOString();

export const CARE_BODIES_B: RouteBodies = {
  "POST /api/v1/appointments": ({ patientId, practitionerId }) => ({
    json: { patient_id: patientId, practitioner_id: practitionerId, start: startAhead() },
  }),
  "PATCH /api/v1/appointments/:appointment_id": () => ({ json: { reason: "A test" }, ...anyVersion }),
  "DELETE /api/v1/appointments/:appointment_id": () => anyVersion,
  "POST /api/v1/appointments/:appointment_id/cancel": () => ({ json: {} }),
  "POST /api/v1/appointments/:appointment_id/reschedule": () => ({ json: { start: startAhead() }, ...anyVersion }),
};

export const CARE_QUERIES_B: RouteQueries = {};

/** @returns null for a route of which nothing is renewed here */
export const renewCareB = async (
  route: string,
  handle: ResourceIds,
  _stage: AuthzFixture,
  _player: TestCaller,
): Promise<ResourceIds | null> => {
  if (!route.includes("/appointments/:appointment_id") || route.startsWith("GET")) return null;
  const isThere = await env.DB.prepare("SELECT 1 FROM patients WHERE id = ?").bind(handle.patientId).first();
  return isThere ? { ...handle, appointmentId: await newAppointment(handle, route.endsWith("/confirm")) } : null;
};
