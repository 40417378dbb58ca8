// The data of the authorization matrix: principals with valid tokens, and patients with their resources.
import { runDurableObjectAlarm } from "cloudflare:test";
import { deliverChanges } from "../src/monitoring/patient-object/context/change-delivery.ts";
import { toAlertId } from "../src/monitoring/patient-object/samples/ids.ts";
import { CONSENT_KINDS } from "../src/platform/db/vocabulary.ts";
import { uuidv7 } from "../src/platform/ids.ts";
import { type CareIds, newCareIds } from "./authz.care-world.ts";
import { type HospitalKey, PRINCIPALS, TARGETS, type Target, type TestPrincipal } from "./authz.matrix.ts";
import { newConsent } from "./consent-rows.ts";
import { grantAsAsked } from "./consent-scene.ts";
import { newDocument, newText } from "./document-files.ts";
import { newIncoming, newRequestRow } from "./document-request-rows.ts";
import { newErasure } from "./erasure-rows.ts";
import { newGuardianship } from "./guardian-rows.ts";
import { newFailedDelivery, newNotification } from "./notification-rows.ts";
import { makeOfficer, newReview } from "./privacy-rows.ts";
import {
  API,
  env,
  link,
  newDevice,
  newHospital,
  newLogin,
  newPatient,
  newPdf,
  newPerson,
  newWard,
  type Patient,
  type Person,
  type RequestOptions,
  readJson,
  sendRequest,
  sha256,
  uniqueText,
  uploadReport,
} from "./world.ts";

export type TestCaller = { principal: TestPrincipal; token: string | null; person: Person | null; sessionId: string | null };
/** All ids that a request may contain; in the twin for unknown ids, all are random. */
export type ResourceIds = CareIds & {
  hospitalId: string;
  patientId: string;
  reportId: string;
  /** A document that a nurse has uploaded. */
  documentId: string;
  /** A consent that the hospital has requested for the patient. */
  consentId: string;
  /** A guardianship of the patient that is to be confirmed. */
  guardianshipId: string;
  /** A document request of the hospital, and one to it for the patient's documents. */
  documentRequestId: string;
  incomingRequestId: string;
  /** An erasure that has ended, with its certificate; allowed cells that decide get an open one of another patient. */
  erasureId: string;
  deviceId: string;
  credentialId: string;
  /** An import grant of the hospital. */
  grantId: string;
  invitationId: string;
  wardId: string;
  /** The profile of `memberId`. */
  practitionerId: string;
  /** An unread notification of nobody; allowed cells get one of the caller. */
  notificationId: string;
  apiKeyId: string;
  webhookId: string;
  /** The event of a delivery of the webhook that has ended. */
  messageId: string;
  /** A delivery of the hospital that has failed. */
  deliveryId: string;
  /** A claim code of a patient of the hospital. */
  code: string;
  /** A file in the hospital's quarantine. */
  uploadId: string;
  /** A direct upload started by a member of the hospital. */
  directId: string;
  /** A sample of the patient, and an alert that it raised. */
  observationId: string;
  alertId: string;
  /** An audit event about the patient. */
  eventId: string;
  /** An open review of the hospital. */
  reviewId: string;
  /** Of nobody; the routes that need one get an own one (`renewResources`). */
  emergencyAccessId: string;
  /** Samples of an unassigned device of the hospital. */
  heldId: string;
  heldDeviceId: string;
  /** A nurse of the hospital, not in the care team. */
  staffId: string;
  /** A doctor of the hospital, in the care team. */
  memberId: string;
  version: number;
};

/** Of whom a set of ids is. */
export type IdsOwner = {
  hospitalId: string;
  patient: Patient;
  nurse: Person;
  manager: Person;
  /** In the care team, with a profile as practitioner. */
  doctor: Person;
  practitionerId: string;
};
/** By route: bodies, headers and queries of its requests. */
export type RouteBodies = Record<
  string,
  (handle: ResourceIds, principal: TestPrincipal, person: Person | null) => RequestOptions | Promise<RequestOptions>
>;
export type RouteQueries = Record<string, (handle: ResourceIds, principal: TestPrincipal) => string>;

export const run = (query: string, ...values: unknown[]) =>
  // biome-ignore lint/plugin: constants of this file.
  env.DB.prepare(query)
    .bind(...values)
    .run();

export async function createFixture() {
  const places: Record<HospitalKey, string> = {
    A: await newHospital(),
    B: await newHospital(),
    W: await newHospital("hospital"),
  };
  const nurses = { A: await newPerson("nurse", places.A), W: await newPerson("nurse", places.W, "hospital") };
  const patients = await mapTargets(async (target) => {
    const place = TARGETS[target];
    return newPatient(places[place], nurses[place]);
  });
  const players: TestCaller[] = [];
  for (const principal of PRINCIPALS) players.push(await newPlayer(principal, places, nurses.A, patients));
  const bound = players.find((player) => player.principal.name === "device bound");
  const handles = await mapTargets(async (target) => {
    const place = TARGETS[target];
    const uploader = target === "treated" ? { token: bound?.token ?? "" } : nurses[place];
    return newHandle(places[place], nurses[place], uploader, patients[target]);
  });
  for (const player of players) await end(player, places);
  // Deliver pending changes now: the tests look at what a denial changes.
  while ((await deliverChanges(env)) > 0);
  for (const { id } of Object.values(patients)) await runDurableObjectAlarm(env.PATIENT_MONITOR.getByName(id));
  return { places, nurses, patients, players, handles };
}
export type AuthzFixture = Awaited<ReturnType<typeof createFixture>>;

async function mapTargets<T>(make: (target: Target) => Promise<T>): Promise<Record<Target, T>> {
  return { treated: await make("treated"), untreated: await make("untreated"), elsewhere: await make("elsewhere") };
}

async function newPlayer(
  principal: TestPrincipal,
  places: Record<HospitalKey, string>,
  nurse: Person,
  patients: Record<Target, Patient>,
): Promise<TestCaller> {
  const { kind, role, place, wide, linked = [], guards = [], team = [], consented = [], bound, scopes } = principal;
  if (kind === "anonymous") return { principal, token: null, person: null, sessionId: null };
  if (kind === "app") {
    const manager = await newPerson("hospital_admin", places[place ?? "A"]);
    return { principal, token: (await newKey(manager, scopes)).token, person: null, sessionId: null };
  }
  if (kind === "device") {
    const { token, credentialId } = await newDevice(nurse, bound ? patients[bound].id : null);
    // No route issues a device credential with fewer scopes.
    if (scopes) await run("UPDATE credentials SET scopes = ? WHERE id = ?", scopes.join(" "), credentialId);
    return { principal, token, person: null, sessionId: null };
  }
  const person = await newPerson(role ?? "patient", place ? places[place] : null, wide ? "hospital" : "care_team");
  if (role === "hospital_admin") await makeOfficer(person);
  for (const target of linked) await link(person, patients[target]);
  for (const target of guards) await newGuardianship(patients[target].id, person.id, true);
  for (const target of team) await addToCareTeam(patients[target].id, person.id);
  for (const target of consented) await shareEverything(patients[target], person, places[place ?? "B"]);
  return { principal, token: person.token, person, sessionId: person.sessionId };
}

/** A person who has records in both hospitals grants everything of the one to the other. */
async function shareEverything(shared: Patient, by: Person, hospitalId: string): Promise<void> {
  const person = await newPerson("patient");
  const own = await newPatient(hospitalId, by);
  for (const patient of [shared, own]) await link(person, patient);
  const scene = { person, atA: shared, atB: own, b: { nurse: by } };
  const times = { data_from: "2000-01-01T00:00:00Z", data_until: "2099-01-01T00:00:00Z" };
  await grantAsAsked(scene, { kinds: [...CONSENT_KINDS], ...times });
}

export async function newKey(
  manager: Person,
  scopes: readonly string[] = APP_SCOPES,
): Promise<{ api_key_id: string; token: string }> {
  const json = { name: "test", scopes };
  return (await readJson(await sendRequest(`${API}/api-keys`, { as: manager, json }))).data;
}

const fixtureWebhooks = new Set<string>();

async function newFixtureWebhook(hospitalId: string) {
  const created = await newWebhook(hospitalId);
  fixtureWebhooks.add(created.webhookId);
  return created;
}

/** A webhook; the others of the hospital that are not of the fixture go. @param isActive false for a route that switches it on */
export async function newWebhook(hospitalId: string, isActive = true): Promise<{ webhookId: string; messageId: string }> {
  const manager = await newPerson("hospital_admin", hospitalId);
  const kept = JSON.stringify([...fixtureWebhooks]);
  await run("DELETE FROM webhooks WHERE hospital_id = ? AND id NOT IN (SELECT value FROM json_each(?))", hospitalId, kept);
  // Of test/webhook-receiver.ts: the queue delivers while tests run.
  const json = { url: `${env.WEBHOOK_TEST_ORIGINS?.split(",")[1]}/hook/access`, events: ["alert.cleared"] };
  const webhookId: string = (await readJson(await sendRequest(`${API}/webhooks`, { as: manager, json }))).data.webhook_id;
  const messageId = uuidv7();
  await run(
    `INSERT INTO deliveries (id, hospital_id, channel, target_id, kind, priority, refs, status, attempts, created_at)
      VALUES (?, ?, 'webhook', ?, 'report.created', 'normal', '{}', 'accepted', 1, CAST(? AS INTEGER))`,
    `${messageId}.webhook.${webhookId}`,
    hospitalId,
    webhookId,
    Date.now(),
  );
  if (!isActive) await run("UPDATE webhooks SET active = 0, disabled_at = 1, disabled_reason = 'person' WHERE id = ?", webhookId);
  return { webhookId, messageId };
}

/** The body of an API key: everything that an app can be given. */
const APP_SCOPES = [
  "patient:read",
  "patient:search",
  "patient:create",
  "patient:update",
  "report:read",
  "report:create",
  "observation:read",
  "observation:create",
  "alert:read",
  "appointment:read",
  "appointment:create",
  "encounter:read",
];

export const addToCareTeam = (patientId: string, userId: string) =>
  run("INSERT INTO care_team (patient_id, user_id, added_by, started_at) VALUES (?, ?, 'test', 1)", patientId, userId);

async function newHandle(hospitalId: string, nurse: Person, uploader: { token: string }, patient: Patient): Promise<ResourceIds> {
  const device = await newDevice(nurse, patient.id);
  const sent = await uploadReport(uploader, newPdf(`file of ${patient.canary}`), {
    patient_id: patient.id,
    fileName: `${patient.canary}.pdf`,
    metrics: JSON.stringify({ heart_rate: 72, vendor: patient.canary }),
  });
  const { data } = await readJson(sent);
  const staff = await newPerson("nurse", hospitalId);
  const member = await newPerson("doctor", hospitalId);
  await addToCareTeam(patient.id, member.id);
  const manager = await newPerson("hospital_admin", hospitalId);
  const wardId = await newWard(manager);
  const practitionerId = await newProfile(manager, member.id);
  const owner = { hospitalId, patient, nurse, manager, doctor: member, practitionerId };
  return {
    ...(await newCareIds(owner)),
    hospitalId,
    wardId,
    ...(await newAlert(nurse, patient.id, wardId)),
    ...(await newHeld(nurse)),
    practitionerId,
    ...(await newFixtureWebhook(hospitalId)),
    notificationId: await newNotification(staff),
    deliveryId: await newFailedDelivery(hospitalId),
    patientId: patient.id,
    eventId: await newEvent(manager, patient.id),
    emergencyAccessId: uuidv7(),
    reviewId: await newReview(hospitalId, patient.id, nurse),
    reportId: data.report_id,
    documentId: await newDocument(nurse, patient.id, newText(`document of ${patient.canary}`)),
    consentId: await newConsent(patient.id),
    guardianshipId: await newGuardianship(patient.id, (await newPerson("patient")).id),
    documentRequestId: await newRequestRow({ patientId: patient.id, hospitalId }, nurse.id),
    incomingRequestId: await newIncoming({ patientId: patient.id, hospitalId }, await newHospital(), nurse),
    erasureId: await newErasure(patient.id, hospitalId, "erased"),
    deviceId: device.id,
    credentialId: device.credentialId,
    grantId: await newGrant(hospitalId),
    invitationId: (await invite(manager, `${uniqueText()}@example.org`)).invitation_id,
    apiKeyId: (await newKey(manager)).api_key_id,
    code: "aaaa-aaaa-aaaa",
    uploadId: await newQuarantined(nurse),
    directId: await newDirect(nurse, patient.id),
    staffId: staff.id,
    memberId: member.id,
    version: 1,
  };
}

/**
 * A patient whose saturation is 0, and a heart rate that cells amend. Cells record heart rates only, so the alert does not recover
 * while they run, however long that takes. It is acknowledged, so that it does not escalate.
 */
export async function newAlert(
  nurse: Person,
  patientId: string,
  wardId: string,
): Promise<{ observationId: string; alertId: string }> {
  const change = { as: nurse, method: "PATCH", json: { monitoring: "home", ward_id: wardId } };
  const row = env.DB.prepare("SELECT version FROM patients WHERE id = ?").bind(patientId);
  const headers = { "If-Match": `"${await row.first<number>("version")}"` };
  await sendRequest(`${API}/patients/${patientId}`, { ...change, headers });
  const saturation = { ...sample(), code: "2708-6", unit: "%", value: 0 };
  await sendRequest(`${API}/observations`, { as: nurse, json: { patient_id: patientId, ...saturation } });
  const sent = await sendRequest(`${API}/observations`, { as: nurse, json: { patient_id: patientId, ...sample() } });
  const { results } = (await readJson(sent)).data;
  const id = toAlertId(patientId, 1);
  const seen = await sendRequest(`${API}/alerts/${id}/acknowledge`, { as: nurse, method: "POST" });
  if (!seen.ok) throw new Error(`no alert: ${await seen.text()}`);
  await runDurableObjectAlarm(env.PATIENT_MONITOR.getByName(patientId));
  return { observationId: results[0].observation_id, alertId: id };
}

/** The audit event of a read of the record. */
async function newEvent(manager: Person, patientId: string): Promise<string> {
  await sendRequest(`${API}/patients/${patientId}`, { as: manager });
  const { data } = await readJson(
    await sendRequest(`${API}/audit-events?patient_id=${patientId}&event=patient.read`, { as: manager }),
  );
  return data[0].id;
}

export async function newHeld(nurse: Person): Promise<Pick<ResourceIds, "heldId" | "heldDeviceId">> {
  const device = await newDevice(nurse, null);
  await sendRequest(`${API}/observations`, { as: device, json: sample() });
  const row = env.DB.prepare("SELECT id FROM held_observations WHERE device_id = ?").bind(device.id);
  return { heldId: (await row.first<string>("id")) ?? "", heldDeviceId: device.id };
}

export const sample = () => ({ code: "8867-4", value: 72, unit: "/min", effective_at: new Date().toISOString() });

export async function newQuarantined(nurse: Person): Promise<string> {
  return (await readJson(await uploadReport(await newDevice(nurse, null), newPdf()))).data.upload_id;
}

/** A started direct upload, with its file stored as by the link. */
export async function newDirect(by: { token: string }, patientId: string): Promise<string> {
  const pdf = newPdf();
  const json = { patient_id: patientId, size: pdf.length, sha256: await sha256(pdf) };
  const begun = await sendRequest(`${API}/reports/direct`, { as: by, json });
  if (!begun.ok) throw new Error(`POST /reports/direct: ${await begun.text()}`);
  const id: string = (await readJson(begun)).data.upload_id;
  const key = await env.DB.prepare("SELECT incoming_key FROM uploads WHERE id = ?").bind(id).first<string>("incoming_key");
  await env.FILES.put(key ?? "", pdf);
  return id;
}

export const grantBody = () => ({
  bytes: 1_000_000,
  expires_at: new Date(Date.now() + 86_400_000).toISOString(),
  reason: "Old reports",
});

export async function newGrant(hospitalId: string): Promise<string> {
  const admin = await newPerson("admin");
  const path = `${API}/hospitals/${hospitalId}/import-grants`;
  return (await readJson(await sendRequest(path, { as: admin, json: grantBody() }))).data.grant_id;
}

export async function invite(manager: Person, email: string): Promise<{ invitation_id: string; token: string }> {
  return (await readJson(await sendRequest(`${API}/users/invite`, { as: manager, json: { email, role: "nurse" } }))).data;
}

export async function newProfile(manager: Person, userId: string): Promise<string> {
  return (await readJson(await sendRequest(`${API}/practitioners`, { as: manager, json: { user_id: userId } }))).data
    .practitioner_id;
}

async function end({ principal, person, token }: TestCaller, places: Record<HospitalKey, string>): Promise<void> {
  if (principal.ended === "deactivated") await run("UPDATE users SET active = 0 WHERE id = ?", person?.id);
  if (principal.ended === "left") {
    await run("UPDATE memberships SET ended_at = 1 WHERE user_id = ? AND hospital_id = ?", person?.id, places.A);
  }
  if (principal.ended === "revoked") {
    const credentialId = /^(?:ecd|eca_[^_]{36})_([^_]{36})_/.exec(token ?? "")?.[1];
    await run("UPDATE credentials SET revoked_at = 1 WHERE id = ?", credentialId);
  }
}

/** A session of the principal, for routes that end one. */
export async function createSpareSession(player: TestCaller, places: Record<HospitalKey, string>) {
  const { role = "patient", place, wide } = player.principal;
  if (!player.person) return null;
  const hospitalId = place ? places[place] : null;
  return newLogin(player.person.id, { role, hospitalId, doctorScope: wide ? "hospital" : "care_team" });
}
