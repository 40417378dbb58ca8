// Every page of the portal, with the ids of a hospital that has data on each.
import { DEMO_PASSWORD } from "../../cli/demo/people.ts";
import { toMeasurement } from "../../cli/simulate/source.ts";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { type Caller, type Login, logIn, withToken } from "./api.ts";
import { newTextFile, sendDocument } from "./document-files.ts";
import { createEcg, sendEcg, sendToQuarantine } from "./ecg.ts";
import { askAboutRead, newPatientLogin } from "./patient-login.ts";
import { desaturate, type Monitor, NORMAL_VALUES, type Patient, type Values, type World } from "./world.ts";

export type Who = "nobody" | "nurse" | "doctor" | "manager" | "platform" | "patient";
type Ids = {
  chart: string;
  alert: string;
  report: string;
  document: string;
  upload: string;
  device: string;
  nurse: string;
  hospital: string;
  review: string;
  erasure: string;
  emergency: string;
  emergencyRecord: string;
  own: string;
  ownDocument: string;
  ownConsent: string;
  request: string;
  consent: string;
  shared: string;
  ecg: string;
  note: string;
  appointment: string;
  ownAppointment: string;
  submission: string;
};
/** `name` is also the file name of the screenshot. */
export type PortalPage = { name: string; as: Who; path: (ids: Ids) => string };
/** A hospital with data on each page, and its users. */
export type PortalContent = {
  ids: Ids;
  logins: Record<Who, Login | null>;
  /** Patients whose monitors send, and their values. */
  beds: readonly { patient: Patient; monitor: Monitor; values: Values }[];
};

/** Patients on the pages: one in alarm, one stable, one with a missing vital, one without any data. */
async function furnished(world: World) {
  const { clerk, admin, newPatient, newMonitor, newDevice, hospital, ward } = world;
  const [ill, calm, partly] = [await newPatient(), await newPatient(), await newPatient()];
  const bare = await newPatient();
  const monitors = [await newMonitor(ill), await newMonitor(calm), await newMonitor(partly)] as const;
  const { respiratory_rate: _, ...incomplete } = NORMAL_VALUES;
  for (const secondsAgo of [50, 40, 30, 20, 10]) await monitors[0].send(NORMAL_VALUES, secondsAgo);
  await desaturate(monitors[0]);
  await monitors[1].send({ ...NORMAL_VALUES, systolic: 104 });
  await monitors[2].send({ ...incomplete, spo2: 104 });
  const beds = [
    { patient: ill, monitor: monitors[0], values: { ...NORMAL_VALUES, spo2: 84 } },
    { patient: calm, monitor: monitors[1], values: { ...NORMAL_VALUES, systolic: 104 } },
    { patient: partly, monitor: monitors[2], values: incomplete },
  ];
  const report = await sendEcg(clerk, await createEcg(ill), ill);
  const { document_id: document } = await sendDocument(clerk, newTextFile(), { patient_id: ill.id, author: "Dr Rao" });
  const recorder = await newDevice(null, "ecg");
  const upload = await sendToQuarantine(recorder, await createEcg(calm));
  const held = { ...toMeasurement("heart_rate", 72), effective_at: new Date().toISOString() };
  await withToken(recorder.token).ask("/observations", { json: { samples: [held] } });
  await admin.ask(`/wards/${ward.ward_id}/alert-rules/${CODES.spo2}`, { method: "PUT", json: { low: 90 } });
  const alert = await openAlert(world, ill.id);
  const [device, hospitalId] = [monitors[0].id, hospital.hospital_id];
  const review = await openReview(world, ill);
  const erasure = await openErasure(world, bare);
  const opened = await openInEmergency(world);
  const stored = { report: report.report_id ?? "", document, upload, alert, device, hospital: hospitalId, review, erasure };
  return { ill, beds, ...stored, ...opened };
}

/** A patient's question about a read, which the manager reviews. @returns its id */
async function openReview(world: World, patient: Patient): Promise<string> {
  const { manager } = world.people;
  await (await logIn(manager)).ask(`/hospitals/${world.hospital.hospital_id}/privacy-officers/${manager.id}`, { method: "PUT" });
  await world.clerk.ask(`/patients/${patient.id}`);
  return askAboutRead(await newPatientLogin(world, patient), patient, "I was not at the hospital that day.");
}

/** A request of the manager for the erasure of a record that is held. @returns its id */
async function openErasure({ people }: World, patient: Patient): Promise<string> {
  const manager = await logIn(people.manager);
  await manager.ask(`/patients/${patient.id}/hold`, { json: { reason: "A court asked for the record." } });
  const { data } = await manager.ask(`/patients/${patient.id}/erasure`, { json: { reason: "Asked for by letter." } });
  return data.erasure_id;
}

/** A record outside the care teams of the doctor. */
async function openInEmergency({ people, newPatient }: World) {
  const { id } = await newPatient({ assigned_doctor_id: undefined });
  const json = { patient_id: id, reason: "Unconscious after a fall; allergies are needed", purpose: "BTG" };
  const { data } = await (await logIn(people.doctor)).ask("/emergency-access", { json });
  return { emergency: data.emergency_access_id, emergencyRecord: `/patients/${id}` };
}

async function openAlert({ clerk }: World, patientId: string): Promise<string> {
  for (let look = 0; look < 50; look++) {
    const [alert] = (await clerk.ask(`/alerts?patient_id=${patientId}`)).data;
    if (alert) return alert.alert_id;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("no alarm was raised");
}

const DAY_MS = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

async function requestConsent(by: Caller, patientId: string): Promise<string> {
  const times = { data_from: inDays(-365), data_until: inDays(1), expires_at: inDays(90) };
  const kinds = ["report:ecg", "observations", "documents"];
  const json = { patient_id: patientId, purpose: "CAREMGT", kinds, ...times, reason: "Chest pain" };
  return (await by.ask("/consents", { json })).data.consent_id;
}

/** The patient shares the record that they keep themselves. */
async function shareOwnEntries(world: World, patient: Patient) {
  const person = await logIn(await newPatientLogin(world, patient));
  const { patients } = (await person.ask("/auth/me")).data;
  const own = patients.find(({ patient_id }: { patient_id: string }) => patient_id !== patient.id);
  const shared = own.patient_id;
  const { document_id: note } = await sendDocument(person, newTextFile(), { patient_id: shared });
  const { report_id: ecg } = await sendEcg(person, await createEcg(patient), { ...patient, id: shared });
  const consent = await requestConsent(world.clerk, patient.id);
  await person.ask(`/consents/${consent}/grant`, { json: { patient_ids: [shared] } });
  return { consent, shared, note, ecg: ecg ?? "" };
}

/** A request that the demo patient has not answered; of an earlier run, where the server is not a new one. */
async function findOwnRequest(patient: Caller): Promise<string> {
  const [waiting] = (await patient.ask("/consents?status=requested")).data;
  if (waiting) return waiting.consent_id;
  const nurse = await logIn({ email: "nurse@demo.com", password: DEMO_PASSWORD });
  const [own] = (await patient.ask("/auth/me")).data.patients;
  return requestConsent(nurse, own.patient_id);
}

/** A request that the patient has not answered. */
async function requestDocuments({ clerk }: World, patientId: string): Promise<string> {
  const { data } = await clerk.ask("/document-requests", { json: { patient_id: patientId, description: "Discharge summary" } });
  return data.document_request_id;
}

/** A booking with a doctor, who gets a profile if there is none. @param by who makes profiles */
export async function bookWith(
  by: Caller,
  clerk: Caller,
  hospitalId: string,
  userId: string,
  patientId: string,
): Promise<string> {
  const list = async () => (await clerk.ask("/practitioners?limit=100")).data as { user_id: string; practitioner_id: string }[];
  const find = async () => (await list()).find(({ user_id }) => user_id === userId)?.practitioner_id;
  if (!(await find()))
    await by.ask("/practitioners", { json: { user_id: userId, hospital_id: hospitalId, specialty: "Cardiology" } });
  const practitioner_id = await find();
  // Runs against one product follow each other: each books another time.
  const start = new Date(Math.floor(Date.now() / 300_000) * 300_000 + 3 * DAY_MS).toISOString();
  const json = { patient_id: patientId, practitioner_id, start, duration_minutes: 5, reason: "Follow-up" };
  return (await clerk.ask("/appointments", { json })).data.appointment_id;
}

/** An appointment of the demo patient ahead; of an earlier run, where the server is not a new one. */
async function findOwnAppointment(patient: Caller): Promise<string> {
  const [booked] = (await patient.ask(`/appointments?from=${new Date().toISOString()}`)).data;
  if (booked) return booked.appointment_id;
  const as = async (email: string) => logIn({ email, password: DEMO_PASSWORD });
  const [nurse, doctor] = [await as("nurse@demo.com"), (await (await as("doc@demo.com")).ask("/auth/me")).data];
  const { patients } = (await patient.ask("/auth/me")).data;
  const own = patients.find(({ hospital_id }: { hospital_id: string }) => hospital_id === doctor.hospital.id);
  return bookWith(await logIn(PLATFORM), nurse, doctor.hospital.id, doctor.user_id, own.patient_id);
}

const PLATFORM: Login = { email: "adm@demo.com", password: DEMO_PASSWORD };
const PATIENT: Login = { email: "patient@demo.com", password: DEMO_PASSWORD };

export async function createPortalContent(world: World): Promise<PortalContent> {
  const { nurse, doctor, manager } = world.people;
  const { ill, beds, ...ids } = await furnished(world);
  const patient = await logIn(PATIENT);
  const [own] = (await patient.ask("/reports?limit=1")).data;
  const { document_id: ownDocument } = await sendDocument(patient, newTextFile());
  const ownConsent = await findOwnRequest(patient);
  const sharing = await shareOwnEntries(world, ill);
  const request = await requestDocuments(world, ill.id);
  const { hospital, clerk, people, admin } = world;
  const appointment = await bookWith(admin, clerk, hospital.hospital_id, people.doctor.id, ill.id);
  const ownAppointment = await findOwnAppointment(patient);
  const answers = { chief_complaint: "Palpitations since Monday", symptoms: ["palpitations"] };
  const submission = (await clerk.ask("/intake-submissions", { json: { patient_id: ill.id, answers } })).data.submission_id;
  const owned = { own: own.report_id, ownDocument, ownConsent };
  return {
    ids: {
      ...ids,
      chart: `/patients/${ill.id}`,
      nurse: nurse.id,
      request,
      appointment,
      ownAppointment,
      submission,
      ...owned,
      ...sharing,
    },
    logins: { nobody: null, nurse, doctor, manager, platform: PLATFORM, patient: PATIENT },
    beds,
  };
}

const at = (as: Who, paths: Record<string, string | PortalPage["path"]>): PortalPage[] =>
  Object.entries(paths).map(([name, path]) => ({ name, as, path: typeof path === "string" ? () => path : path }));

export const PORTAL_PAGES: readonly PortalPage[] = [
  ...at("nobody", {
    login: "/login",
    register: "/register",
    invitation: "/invitation",
    forgot: "/forgot",
    reset: "/reset",
    "verify-email": "/verify-email",
    intake: "/intake",
    "no-page": "/login/nowhere",
  }),
  ...at("nurse", {
    ward: "/ward",
    "ward-due": "/ward/due",
    alarms: "/alarms",
    alarm: ({ alert }) => `/alarms/${alert}`,
    patients: "/patients",
    patient: ({ chart }) => chart,
    "patient-vitals": ({ chart }) => `${chart}/vitals`,
    "observation-set": ({ chart }) => `${chart}/observations/new`,
    "patient-alarms": ({ chart }) => `${chart}/alarms`,
    "patient-appointments": ({ chart }) => `${chart}/appointments`,
    appointment: ({ appointment }) => `/appointments/${appointment}`,
    "intake-review": "/intake-review",
    "intake-submission": ({ submission }) => `/intake-review/${submission}`,
    "patient-limits": ({ chart }) => `${chart}/limits`,
    "patient-about": ({ chart }) => `${chart}/about`,
    uploads: "/uploads",
    "upload-new": "/uploads/new",
    quarantine: "/uploads/quarantine",
    held: "/uploads/held",
    upload: ({ upload }) => `/uploads/${upload}`,
    device: ({ device }) => `/devices/${device}`,
    account: "/account",
    security: "/account/security",
    "message-settings": "/account/notifications",
    "no-access": "/patients/01900000-0000-7000-8000-000000000000",
  }),
  ...at("doctor", {
    "patient-reports": ({ chart }) => `${chart}/reports`,
    "patient-documents": ({ chart }) => `${chart}/documents`,
    "patient-document": ({ chart, document }) => `${chart}/documents/${document}`,
    "document-request-new": ({ chart }) => `${chart}/documents/request`,
    requests: "/requests",
    "requests-out": "/requests?direction=out",
    request: ({ request }) => `/requests/${request}`,
    "request-link": ({ request }) => `/document-requests/${request}`,
    "document-new": ({ chart }) => `${chart}/documents/new`,
    "document-new-version": ({ chart, document }) => `${chart}/documents/${document}/new-version`,
    "patient-export": ({ chart }) => `${chart}/export`,
    "other-hospitals": ({ chart }) => `${chart}/other-hospitals`,
    "consent-new": ({ chart }) => `${chart}/other-hospitals/new`,
    "shared-record": ({ chart, consent, shared }) => `${chart}/other-hospitals/${consent}/${shared}`,
    "shared-report": ({ chart, consent, shared, ecg }) => `${chart}/other-hospitals/${consent}/${shared}/reports/${ecg}`,
    "shared-document": ({ chart, consent, shared, note }) => `${chart}/other-hospitals/${consent}/${shared}/documents/${note}`,
    "patient-devices": ({ chart }) => `${chart}/devices`,
    "patient-history": ({ chart }) => `${chart}/history`,
    "patient-timeline": ({ chart }) => `${chart}/timeline`,
    emergency: "/emergency",
    "emergency-access": ({ emergency }) => `/emergency/${emergency}`,
    "emergency-record": ({ emergencyRecord }) => `${emergencyRecord}/history`,
    reports: "/reports",
    report: ({ report }) => `/reports/${report}`,
  }),
  ...at("manager", {
    admin: "/admin",
    users: "/admin/users",
    user: ({ nurse }) => `/admin/users/${nurse}`,
    practitioners: "/admin/practitioners",
    hospitals: "/admin/hospitals",
    hospital: ({ hospital }) => `/admin/hospitals/${hospital}`,
    devices: "/admin/devices",
    rules: "/admin/rules",
    "api-keys": "/admin/api-keys",
    webhooks: "/admin/webhooks",
    audit: "/admin/audit",
    reviews: "/privacy",
    review: ({ review }) => `/privacy/${review}`,
    deliveries: "/admin/deliveries",
    retention: "/admin/retention",
    holds: "/admin/holds",
    erasures: "/admin/erasures",
    erasure: ({ erasure }) => `/admin/erasures/${erasure}`,
    health: "/admin/health",
  }),
  ...at("platform", { keys: "/admin/keys" }),
  ...at("patient", {
    me: "/me",
    "me-details": "/me/details",
    "me-reports": "/me/reports",
    "me-report": ({ own }) => `/me/reports/${own}`,
    "me-documents": "/me/documents",
    "me-document": ({ ownDocument }) => `/me/documents/${ownDocument}`,
    "me-document-new": "/me/documents/new",
    "me-document-new-version": ({ ownDocument }) => `/me/documents/${ownDocument}/new-version`,
    "me-export": "/me/export",
    "me-appointments": "/me/appointments",
    "me-appointment": ({ ownAppointment }) => `/me/appointments/${ownAppointment}`,
    "me-vitals": "/me/vitals",
    "me-devices": "/me/devices",
    "me-consents": "/me/consents",
    "me-share": "/me/consents/share",
    "me-guardians": "/me/guardians",
    "consent-link": ({ ownConsent }) => `/consents/${ownConsent}`,
    "me-consent": ({ ownConsent }) => `/me/consents/${ownConsent}`,
    "me-access": "/me/access",
    "me-erasure": "/me/erasure",
  }),
];
