// Of the authorization matrix: what an allowed call would consume is made anew, so that every allowed cell meets the same state.

import { renewCare } from "./authz.care-world.ts";
import {
  type AuthzFixture,
  addToCareTeam,
  invite,
  newAlert,
  newDirect,
  newGrant,
  newHeld,
  newKey,
  newProfile,
  newQuarantined,
  newWebhook,
  type ResourceIds,
  run,
  type TestCaller,
} from "./authz.world.ts";
import { newConsent, newForeignCode } from "./consent-rows.ts";
import { newDocument } from "./document-files.ts";
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
  newPatient,
  newPdf,
  newPerson,
  newWard,
  readJson,
  sendRequest,
  uniqueText,
  uploadReport,
} from "./world.ts";

/** Renews what an allowed call would consume, so that every allowed cell meets the same state. */
export async function renewResources(
  route: string,
  handle: ResourceIds,
  stage: AuthzFixture,
  player: TestCaller,
): Promise<ResourceIds> {
  const ofCare = await renewCare(route, handle, stage, player);
  if (ofCare) return ofCare;
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
    const own = env.DB.prepare("SELECT user_id FROM patient_links WHERE patient_id = ?1 ORDER BY user_id = ?2 DESC LIMIT 1").bind(
      handle.patientId,
      player.person?.id ?? "",
    );
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
