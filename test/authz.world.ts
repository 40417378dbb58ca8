// The data of the authorization matrix: principals with valid tokens, and patients with their resources.
import { runDurableObjectAlarm } from "cloudflare:test";
import { deliverChanges } from "../src/monitoring/patient-object/context/change-delivery.ts";
import { toAlertId } from "../src/monitoring/patient-object/samples/ids.ts";
import { CONSENT_KINDS } from "../src/platform/db/vocabulary.ts";
import { uuidv7 } from "../src/platform/ids.ts";
import { type HospitalKey, PRINCIPALS, TARGETS, type Target, type TestPrincipal } from "./authz.matrix.ts";
import { newConsent, newForeignCode } from "./consent-rows.ts";
import { grantAsAsked } from "./consent-scene.ts";
import { newDocument, newText } from "./document-files.ts";
import { newIncoming, newRequestRow } from "./document-request-rows.ts";
import { newAccessRow, newDelayRow } from "./emergency-scene.ts";
import { clearHolds, clearPolicy, clearRequests, newErasure, newHold } from "./erasure-rows.ts";
import { newGrantable, newGuardianCode, newGuardianship } from "./guardian-rows.ts";
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
  readJson,
  sendRequest,
  sha256,
  uniqueText,
  uploadReport,
} from "./world.ts";

export type TestCaller = { principal: TestPrincipal; token: string | null; person: Person | null; sessionId: string | null };
/** All ids that a request may contain; in the twin for unknown ids, all are random. */
export type ResourceIds = {
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

const run = (query: string, ...values: unknown[]) =>
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
  const { kind, role, place, wide, linked = [], team = [], consented = [], bound, scopes } = principal;
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

async function newKey(manager: Person, scopes: readonly string[] = APP_SCOPES): Promise<{ api_key_id: string; token: string }> {
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
  return {
    hospitalId,
    wardId,
    ...(await newAlert(nurse, patient.id, wardId)),
    ...(await newHeld(nurse)),
    practitionerId: await newProfile(manager, member.id),
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
async function newAlert(nurse: Person, patientId: string, wardId: string): Promise<{ observationId: string; alertId: string }> {
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

async function newHeld(nurse: Person): Promise<Pick<ResourceIds, "heldId" | "heldDeviceId">> {
  const device = await newDevice(nurse, null);
  await sendRequest(`${API}/observations`, { as: device, json: sample() });
  const row = env.DB.prepare("SELECT id FROM held_observations WHERE device_id = ?").bind(device.id);
  return { heldId: (await row.first<string>("id")) ?? "", heldDeviceId: device.id };
}

export const sample = () => ({ code: "8867-4", value: 72, unit: "/min", effective_at: new Date().toISOString() });

async function newQuarantined(nurse: Person): Promise<string> {
  return (await readJson(await uploadReport(await newDevice(nurse, null), newPdf()))).data.upload_id;
}

/** A started direct upload, with its file stored as by the link. */
async function newDirect(by: { token: string }, patientId: string): Promise<string> {
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

async function newGrant(hospitalId: string): Promise<string> {
  const admin = await newPerson("admin");
  const path = `${API}/hospitals/${hospitalId}/import-grants`;
  return (await readJson(await sendRequest(path, { as: admin, json: grantBody() }))).data.grant_id;
}

export async function invite(manager: Person, email: string): Promise<{ invitation_id: string; token: string }> {
  return (await readJson(await sendRequest(`${API}/users/invite`, { as: manager, json: { email, role: "nurse" } }))).data;
}

async function newProfile(manager: Person, userId: string): Promise<string> {
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

/** Renews what an allowed call would consume, so that every allowed cell meets the same state. */
export async function renewResources(
  route: string,
  handle: ResourceIds,
  stage: AuthzFixture,
  player: TestCaller,
): Promise<ResourceIds> {
  const nurse = handle.hospitalId === stage.places.A ? stage.nurses.A : stage.nurses.W;
  if (route.endsWith("/care-team/:user_id") || route.endsWith("/members/:user_id")) {
    const doctor = await newPerson("doctor", handle.hospitalId);
    if (route.startsWith("DELETE") && route.includes("care-team")) await addToCareTeam(handle.patientId, doctor.id);
    return { ...handle, staffId: doctor.id, memberId: doctor.id };
  }
  if (route.endsWith("/privacy-officers/:user_id")) {
    const nurse = await newPerson("nurse", handle.hospitalId);
    if (route.startsWith("DELETE")) await makeOfficer(nurse);
    await run(
      "UPDATE memberships SET privacy_officer = 0 WHERE hospital_id = ? AND role = 'nurse' AND user_id <> ?",
      handle.hospitalId,
      nurse.id,
    );
    return { ...handle, staffId: nurse.id };
  }
  if (route.includes("/:emergency_access_id")) {
    const { principal, person } = player;
    if (!person || !principal.place) return handle;
    const hospitalId = stage.places[principal.place];
    const { id } = await newPatient(hospitalId, nurse);
    return { ...handle, emergencyAccessId: await newAccessRow(person, hospitalId, id) };
  }
  if (route.endsWith("/notice-delay")) {
    await newDelayRow(handle.patientId, nurse);
    return handle;
  }
  if (route.endsWith("/close")) return { ...handle, reviewId: await newReview(handle.hospitalId, handle.patientId, nurse) };
  if (route === "POST /api/v1/privacy-questions") {
    await run("DELETE FROM privacy_reviews WHERE ref_id = ?", handle.eventId);
    return handle;
  }
  if (route.startsWith("DELETE /api/v1/users/")) {
    const manager = await newPerson("hospital_admin", handle.hospitalId);
    const invitationId = (await invite(manager, `${uniqueText()}@example.org`)).invitation_id;
    return { ...handle, staffId: (await newPerson("nurse", handle.hospitalId)).id, invitationId };
  }
  if (route.includes("/links/")) {
    const person = await newPerson("patient");
    const { id, canary } = await newPatient(handle.hospitalId, nurse);
    await link(person, { id, number: 0, canary });
    return { ...handle, patientId: id, staffId: person.id };
  }
  if (route.includes("/webhooks")) {
    return { ...handle, ...(await newWebhook(handle.hospitalId, !route.endsWith("/enable"))), version: 1 };
  }
  if (route.includes("/notifications/deliveries/")) return { ...handle, deliveryId: await newFailedDelivery(handle.hospitalId) };
  if (route.includes("/notifications") && player.person) {
    const refs = JSON.stringify({ patient_id: handle.patientId });
    // Those of another hospital would have an event of their own.
    await env.DB.prepare("DELETE FROM notifications WHERE user_id = ?").bind(player.person.id).run();
    return { ...handle, notificationId: await newNotification(player.person, refs, handle.hospitalId) };
  }
  if (route === "POST /api/v1/patients/:patient_id/guardians") {
    return { ...handle, code: await newGuardianCode(await newPerson("patient")) };
  }
  if ((route === "GET /api/v1/guardianships" || route === "GET /api/v1/document-requests") && player.person) {
    // Those of a grant, which are of another hospital and would have an event of their own.
    await env.DB.prepare(
      "DELETE FROM guardianships WHERE guardian_id = ? AND patient_id IN (SELECT id FROM patients WHERE hospital_id <> ?)",
    )
      .bind(player.person.id, handle.hospitalId)
      .run();
    return handle;
  }
  if (route.includes("/guardianships/")) {
    const own = env.DB.prepare("SELECT user_id FROM patient_links WHERE patient_id = ? LIMIT 1").bind(handle.patientId);
    const guardianId = (await own.first<string>("user_id")) ?? (await newPerson("patient")).id;
    return { ...handle, guardianshipId: await newGuardianship(handle.patientId, guardianId) };
  }
  if (route.endsWith("/consents/redeem")) return { ...handle, code: await newForeignCode() };
  if (route.endsWith("/revoke") && route.includes("/consents/")) {
    return { ...handle, consentId: await newConsent(handle.patientId, "granted") };
  }
  if (route.endsWith("/deny")) return { ...handle, consentId: await newConsent(handle.patientId) };
  if (route.endsWith("/grant")) {
    // Another hospital asks for this one's record of the same person.
    const own = env.DB.prepare("SELECT user_id FROM patient_links WHERE patient_id = ? LIMIT 1").bind(handle.patientId);
    const userId = (await own.first<string>("user_id")) ?? (await newPerson("patient")).id;
    return { ...handle, consentId: await newGrantable(stage.places.B, nurse, handle.patientId, userId) };
  }
  if (route.includes("/api-keys/")) {
    return { ...handle, apiKeyId: (await newKey(await newPerson("hospital_admin", handle.hospitalId))).api_key_id };
  }
  if (route === "DELETE /api/v1/patients/:patient_id" || route.endsWith("/patients/claim")) {
    const { id } = await newPatient(handle.hospitalId, nurse);
    const issued = await readJson(await sendRequest(`${API}/patients/${id}/claim-codes`, { as: nurse, method: "POST" }));
    return { ...handle, patientId: id, code: issued.data.code, version: 1 };
  }
  if (route.endsWith("/credentials/:credential_id")) {
    const issued = await sendRequest(`${API}/devices/${handle.deviceId}/credentials`, { as: nurse, json: { name: "spare" } });
    return { ...handle, credentialId: (await readJson(issued)).data.credential_id };
  }
  // Filed once: a repetition changes nothing and leaves one event instead of two.
  if (route.endsWith("/quarantine/file")) return { ...handle, ...(await newHeld(nurse)) };
  if (route.endsWith("/versions") || route === "DELETE /api/v1/documents/:document_id") {
    return { ...handle, documentId: await newDocument(nurse, handle.patientId) };
  }
  if (route.includes("/document-requests/:document_request_id/")) {
    const status = route.endsWith("/fulfil") ? "approved" : "requested";
    return {
      ...handle,
      documentId: await newDocument(nurse, handle.patientId),
      documentRequestId: await newRequestRow(handle, nurse.id),
      incomingRequestId: await newIncoming(handle, await newHospital(), nurse, status),
    };
  }
  if (route.endsWith("/assign") || route.endsWith("/discard")) return { ...handle, uploadId: await newQuarantined(nurse) };
  if (route.endsWith("/direct/:upload_id/confirm")) {
    return { ...handle, directId: await newDirect({ token: player.token ?? "" }, handle.patientId) };
  }
  if (route.endsWith("/assignments/current")) {
    await sendRequest(`${API}/devices/${handle.deviceId}/assignments`, { as: nurse, json: { patient_id: handle.patientId } });
  }
  if (route.startsWith("DELETE") && route.endsWith("/observation-pause")) {
    const json = { reason: "procedure", expected_return_at: new Date(Date.now() + 3_600_000).toISOString() };
    await sendRequest(`${API}/patients/${handle.patientId}/observation-pause`, { as: nurse, method: "PUT", json });
  }
  if (route.endsWith("/move")) {
    const file = newPdf(`misfiled ${uniqueText()}`);
    const report = await readJson(await uploadReport(nurse, file, { patient_id: handle.patientId }));
    const { id } = await newPatient(handle.hospitalId, nurse);
    if (player.person?.role === "doctor") await addToCareTeam(id, player.person.id);
    return { ...handle, reportId: report.data.report_id, patientId: id };
  }
  if (route === "DELETE /api/v1/hospitals/:hospital_id") return { ...handle, hospitalId: await newHospital(), version: 1 };
  if (/^(PUT|DELETE) .*alert-rules/.test(route)) {
    const scope = route.includes(":ward_id") ? `wards/${handle.wardId}` : `patients/${handle.patientId}`;
    await run("DELETE FROM alert_rules WHERE scope_id IN (?, ?)", handle.wardId, handle.patientId);
    if (route.startsWith("PUT")) return handle;
    await sendRequest(`${API}/${scope}/alert-rules/heart_rate`, { as: nurse, method: "PUT", json: { low: 46 } });
    return { ...handle, version: 1 };
  }
  if (route.endsWith("/retention")) await clearPolicy(handle.hospitalId);
  if (route.endsWith("/hold")) await clearHolds(handle.patientId);
  if (route.endsWith("/hold/release")) await newHold(handle.patientId, handle.hospitalId);
  if (route.endsWith("/erasure")) await clearRequests(handle.patientId);
  if (/\/(approve|reject)$/.test(route)) {
    const { id } = await newPatient(handle.hospitalId, nurse);
    return { ...handle, patientId: id, erasureId: await newErasure(id, handle.hospitalId, "requested") };
  }
  if (/^(PUT|DELETE) .*escalation/.test(route)) {
    const [scope, scopeId] = route.includes(":ward_id") ? ["ward", handle.wardId] : ["hospital", handle.hospitalId];
    await run("DELETE FROM escalation_settings WHERE scope_id IN (?, ?)", handle.wardId, handle.hospitalId);
    if (route.startsWith("PUT")) return handle;
    const values = "VALUES (?, ?, ?, '{}', 'test', 1)";
    const columns = "(scope_id, scope, hospital_id, settings, updated_by, updated_at)";
    await run(`INSERT INTO escalation_settings ${columns} ${values}`, scopeId, scope, handle.hospitalId);
    return { ...handle, version: 1 };
  }
  if (route.endsWith("/resolve")) {
    const { id } = await newPatient(handle.hospitalId, nurse);
    if (player.person?.role === "doctor") await addToCareTeam(id, player.person.id);
    return { ...handle, patientId: id, ...(await newAlert(nurse, id, handle.wardId)) };
  }
  if (route.endsWith("/:grant_id")) return { ...handle, grantId: await newGrant(handle.hospitalId) };
  if (route.startsWith("DELETE") && route.endsWith("/:device_id")) {
    return { ...handle, deviceId: (await newDevice(nurse, null)).id, version: 1 };
  }
  if ((route.startsWith("DELETE") && route.endsWith("/:ward_id")) || route === "PUT /api/v1/wards/:ward_id/staff") {
    return { ...handle, wardId: await newWard(await newPerson("hospital_admin", handle.hospitalId)), version: 1 };
  }
  if (route.endsWith("/practitioners") || (route.startsWith("DELETE") && route.endsWith("/:practitioner_id"))) {
    const doctor = await newPerson("doctor", handle.hospitalId);
    if (route.startsWith("POST")) return { ...handle, staffId: doctor.id };
    const manager = await newPerson("hospital_admin", handle.hospitalId);
    return { ...handle, practitionerId: await newProfile(manager, doctor.id), version: 1 };
  }
  if (route.startsWith("PATCH")) {
    const [table, id] = changedBy(route, handle);
    const key = table === "monitoring_settings" ? "patient_id" : "id";
    // biome-ignore lint/plugin: constants of this file.
    const row = await env.DB.prepare(`SELECT version FROM ${table} WHERE ${key} = ?`).bind(id).first<number>("version");
    // Settings that were never saved are version 1.
    return { ...handle, version: row ?? 1 };
  }
  return handle;
}

/** The table and the id of the row that a route changes. */
function changedBy(route: string, handle: ResourceIds): [table: string, id: string] {
  if (route.includes(":user_id")) return ["users", handle.staffId];
  if (route.includes(":ward_id")) return ["wards", handle.wardId];
  if (route.includes(":practitioner_id")) return ["practitioners", handle.practitionerId];
  if (route.includes(":hospital_id")) return ["hospitals", handle.hospitalId];
  if (route.includes(":device_id")) return ["devices", handle.deviceId];
  if (route.endsWith("/monitoring")) return ["monitoring_settings", handle.patientId];
  return ["patients", handle.patientId];
}

/** A session of the principal, for routes that end one. */
export async function createSpareSession(player: TestCaller, places: Record<HospitalKey, string>) {
  const { role = "patient", place, wide } = player.principal;
  if (!player.person) return null;
  const hospitalId = place ? places[place] : null;
  return newLogin(player.person.id, { role, hospitalId, doctorScope: wide ? "hospital" : "care_team" });
}
