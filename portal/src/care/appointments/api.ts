// API calls for appointments: lists, one with its steps, free times and bookings.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import type { appointmentRoutes } from "../../../../src/care/appointments/routes.ts";
import type { appointmentStepRoutes } from "../../../../src/care/appointments/step-routes.ts";
import type { slotRoutes } from "../../../../src/care/availability/slot-routes.ts";
import { listPractitioners } from "../../organization/practitioners/api.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../../platform/api/client.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { CURSOR_PAGINATION } from "../../platform/design/data-table.tsx";

const { appointments } = hc<typeof appointmentRoutes>(API_BASE, CLIENT_OPTIONS);
const { slots } = hc<typeof slotRoutes>(API_BASE, CLIENT_OPTIONS).appointments;
const oneAppointment = appointments[":appointment_id"];
const steps = hc<typeof appointmentStepRoutes>(API_BASE, CLIENT_OPTIONS).appointments[":appointment_id"];

export type Appointment = Awaited<ReturnType<typeof readAppointment>>;
const DAY_MS = 86_400_000;
/** Appointments of the last month are listed too. */
const SHOWN_SINCE_MS = 30 * DAY_MS;

/** Of a record, the earliest first. */
export const useAppointments = (patientId: string) =>
  useInfiniteQuery({
    queryKey: ["appointments", "list", patientId],
    queryFn: ({ pageParam }) => {
      const from = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS - SHOWN_SINCE_MS).toISOString();
      return readPage(appointments.$get({ query: { patient_id: patientId, from, ...(pageParam && { cursor: pageParam }) } }));
    },
    // The hospital and the clock change what is shown here.
    refetchOnMount: "always",
    ...CURSOR_PAGINATION,
  });

const readAppointment = (appointment_id: string) => readData(oneAppointment.$get({ param: { appointment_id } }));

export const useAppointment = (id: string) =>
  useQuery({ queryKey: ["appointments", "one", id], queryFn: () => readAppointment(id), refetchOnMount: "always" });

const invalidate = () => queryClient.invalidateQueries({ queryKey: ["appointments"] });

/** Doctors and nurses of a hospital who take appointments. */
export const useBookable = (hospitalId: string) =>
  useQuery({
    queryKey: ["appointments", "practitioners", hospitalId],
    queryFn: async () => (await listPractitioners({ hospital_id: hospitalId }, null)).items.filter(({ is_active }) => is_active),
  });

/** Free times of a day; nothing is read without a practitioner. @param from start of the local day */
export const useFreeTimes = (practitionerId: string, from: number | null) =>
  useQuery({
    queryKey: ["appointments", "slots", practitionerId, from],
    enabled: practitionerId !== "" && from !== null,
    queryFn: async () => {
      const span = { from: new Date(from ?? 0).toISOString(), to: new Date((from ?? 0) + DAY_MS).toISOString() };
      return (await readPage(slots.$get({ query: { ...span, practitioner_id: practitionerId } }))).items;
    },
    refetchOnMount: "always",
  });

export type NewAppointment = Parameters<typeof appointments.$post>[0]["json"];

/** @param key idempotency key, so that a retry books once  @throws Problem */
export async function book(json: NewAppointment, key: string): Promise<Appointment> {
  try {
    return await readData(appointments.$post({ header: { "idempotency-key": key }, json }));
  } finally {
    await invalidate();
  }
}

export type Step = { name: "confirm" } | { name: "no-show" } | { name: "cancel"; reason?: string };

/** @throws Problem */
export async function takeStep(appointment_id: string, step: Step): Promise<void> {
  const param = { appointment_id };
  try {
    if (step.name === "cancel") await readData(steps.cancel.$post({ param, json: step.reason ? { reason: step.reason } : {} }));
    else await readData(steps[step.name].$post({ param }));
  } finally {
    await invalidate();
  }
}
