// The requests of the authorization matrix: path, query and body of each route, and the call.
import { v7 } from "uuid";
import { derivePhoneCode, sealPhone } from "../src/notifications/sms/phone-numbers.ts";
import { getKeys } from "../src/platform/config.ts";
import { sealValue } from "../src/platform/crypto.ts";
import { getDb } from "../src/platform/db/client.ts";
import { phoneCodes } from "../src/platform/db/schema.ts";
import { CARE_BODIES, CARE_QUERIES } from "./authz.care-world.ts";
import { beginTotp, clearFactors, newPasskeyRow, newRegistration, renewSignIn } from "./authz.factors.ts";
import {
  grantBody,
  invite,
  type ResourceIds,
  type RouteBodies,
  type RouteQueries,
  sample,
  type TestCaller,
} from "./authz.world.ts";
import { forgetDenials, newScope, offerOfSession, withTwoRecords } from "./consent-rows.ts";
import { documentForm, newText } from "./document-files.ts";
import { delayBody, emergencyBody, newReachedPatient } from "./emergency-scene.ts";
import { RETENTION, signCertificate } from "./erasure-rows.ts";
import { newGuardianBody } from "./guardian-rows.ts";
import { newBrowser } from "./worker/push-service.ts";
import {
  env,
  newHospital,
  newPdf,
  newPerson,
  PASSWORD,
  type Person,
  type RequestOptions,
  sendRequest,
  sha256,
  uniqueText,
  uploadForm,
} from "./world.ts";

/** Routes that need a recent sign-in, which a long run of the matrix outlives. */
const STEP_UP_ROUTES = /\/(mfa|passkeys|factors|factor-policy|api-keys|erasures?|export|merge)\b/;

const ESCALATION = { tiers: [[{ role: "doctor" }]] };
const matching = ({ version }: ResourceIds): RequestOptions => ({ headers: { "If-Match": `"${version}"` } });

const form = (handle: ResourceIds): BodyInit => uploadForm(newPdf(`upload ${uniqueText()}`), { patient_id: handle.patientId });

const UPGRADE: RequestOptions = { headers: { Upgrade: "websocket" } };

/** The code of a phone number that the person has asked to use. */
async function newPhoneCode(userId: string): Promise<string> {
  const keys = await getKeys(env);
  const id = crypto.randomUUID();
  const phoneSealed = await sealPhone(keys, { table: "phone_codes", id }, "+919876543210");
  const now = Date.now();
  const row = {
    id,
    phoneSealed,
    phoneIndex: id,
    createdAt: 0,
    expiresAt: now + 60_000,
    usedAt: null,
    sentCount: 1,
    windowStartedAt: 0,
  };
  await getDb(env.DB)
    .insert(phoneCodes)
    .values({ userId, ...row })
    .onConflictDoUpdate({ target: phoneCodes.userId, set: row });
  return derivePhoneCode(keys, id);
}

/** Bodies and headers of the routes that need them. */
const BODIES: RouteBodies = {
  ...CARE_BODIES,
  "POST /api/token": () => ({ body: "", headers: { "Content-Type": "application/x-www-form-urlencoded" } }),
  "POST /api/v1/auth/login": () => ({ json: {} }),
  "POST /api/v1/auth/login/second-step": () => ({ json: {} }),
  "POST /api/v1/auth/passkey/login": () => ({ json: {} }),
  "POST /api/v1/auth/mfa/totp/enroll": async (_, __, person) => {
    await clearFactors(person);
    return {};
  },
  "POST /api/v1/auth/mfa/totp/confirm": async (_, __, person) => {
    await clearFactors(person);
    return { json: { code: await beginTotp(person) } };
  },
  "DELETE /api/v1/auth/mfa/totp": async (_, __, person) => {
    await clearFactors(person);
    await beginTotp(person);
    return {};
  },
  "POST /api/v1/auth/mfa/recovery-codes": async (_, __, person) => {
    if (person) await newPasskeyRow(person.sessionId);
    return {};
  },
  "POST /api/v1/auth/step-up": async (_, __, person) => {
    await clearFactors(person);
    return { json: { password: PASSWORD } };
  },
  "POST /api/v1/auth/passkeys": async (_, __, person) => ({
    json: { name: "Key", passkey: await newRegistration(person) },
  }),
  "PATCH /api/v1/auth/passkeys/:passkey_id": () => ({ json: { name: "Key on the ward" } }),
  // A date that differs from the one before is a change.
  "PUT /api/v1/hospitals/:hospital_id/factor-policy": () => ({
    json: {
      required_from: {
        nurse: null,
        hospital_admin: null,
        doctor: new Date(Date.now() + 86_400_000 + Math.random() * 1e9).toISOString(),
      },
    },
  }),
  "POST /api/v1/auth/refresh": () => ({ json: { refresh_token: 1 } }),
  "POST /api/v1/auth/bootstrap": () => ({ json: {} }),
  "POST /api/v1/auth/register": () => ({ json: {} }),
  "POST /api/v1/auth/register/patient": () => ({ json: {} }),
  "POST /api/v1/auth/invitations/accept": () => ({ json: {} }),
  "POST /api/v1/auth/password/forgot": () => ({ json: {} }),
  "POST /api/v1/auth/password/reset": () => ({ json: {} }),
  "POST /api/v1/auth/email/verify": () => ({ json: {} }),
  "PATCH /api/v1/auth/me": () => ({ json: { full_name: "Asha Rao" }, headers: { "If-Match": '"1"' } }),
  "POST /api/v1/auth/password/change": () => ({
    json: { current_password: PASSWORD, new_password: "lanterns over seven hills" },
  }),
  "POST /api/v1/auth/email/change": () => ({ json: { email: `${uniqueText()}@example.org`, password: PASSWORD } }),
  "POST /api/v1/sms/status": () => ({
    body: `MessageSid=SM${"1".repeat(32)}&MessageStatus=sent`,
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  }),
  "PUT /api/v1/notification-settings/phone": () => ({
    json: { phone: `+9195${String(Math.floor(Math.random() * 1e8)).padStart(8, "0")}` },
  }),
  "POST /api/v1/notification-settings/phone/verify": async (_, { ended }, person) => ({
    json: { code: person && !ended ? await newPhoneCode(person.id) : "123456" },
  }),
  "POST /api/v1/auth/switch-hospital": () => ({ json: { hospital_id: null } }),
  "POST /api/v1/auth/invitations/join": async (_, { ended }, person) => {
    if (!person || ended) return { json: { token: "eci_" } };
    const manager = await newPerson("hospital_admin", await newHospital());
    return { json: { token: (await invite(manager, person.email)).token } };
  },
  "POST /api/v1/users/invite": (handle, { role }) => ({
    json: { email: `${uniqueText()}@example.org`, role: "nurse", ...(role === "admin" && { hospital_id: handle.hospitalId }) },
  }),
  "PATCH /api/v1/users/:user_id": (handle) => ({ ...matching(handle), json: { is_active: true } }),
  "POST /api/v1/users": (handle, { role }) => ({
    json: {
      email: `${uniqueText()}@example.org`,
      full_name: "Ravi Kumar",
      password: "quiet river stones",
      role: "nurse",
      ...(role === "admin" && { hospital_id: handle.hospitalId }),
    },
  }),
  "POST /api/v1/hospitals": () => ({ json: { name: "Another hospital" } }),
  "PATCH /api/v1/hospitals/:hospital_id": (handle) => ({ ...matching(handle), json: { address: "1 Lake Road" } }),
  "DELETE /api/v1/hospitals/:hospital_id": matching,
  "PUT /api/v1/hospitals/:hospital_id/retention": () => ({ json: RETENTION }),
  "POST /api/v1/patients/:patient_id/hold": () => ({ json: { reason: "Proceedings" } }),
  "POST /api/v1/patients/:patient_id/hold/release": () => ({ json: { reason: "Proceedings ended" } }),
  "POST /api/v1/patients/:patient_id/erasure": () => ({ json: { reason: "Asked for" } }),
  "POST /api/v1/admin/erasures/apply": async () => ({
    json: { certificates: [await signCertificate(crypto.randomUUID(), crypto.randomUUID())] },
  }),
  "POST /api/v1/erasures/:erasure_id/reject": () => ({ json: { reason: "Withdrawn" } }),
  "PUT /api/v1/hospitals/:hospital_id/legal-hold": () => ({ json: { reason: "Proceedings" } }),
  "POST /api/v1/hospitals/:hospital_id/import-grants": () => ({ json: grantBody() }),
  "POST /api/v1/wards": (handle, { role }) => ({
    json: { name: `Ward ${uniqueText()}`, ...(role === "admin" && { hospital_id: handle.hospitalId }) },
  }),
  "PATCH /api/v1/wards/:ward_id": (handle) => ({ ...matching(handle), json: { name: `Ward ${uniqueText()}` } }),
  "DELETE /api/v1/wards/:ward_id": matching,
  "PUT /api/v1/wards/:ward_id/staff": (handle) => ({ ...matching(handle), json: { user_ids: [] } }),
  "PUT /api/v1/wards/:ward_id/escalation": () => ({ json: ESCALATION }),
  "DELETE /api/v1/wards/:ward_id/escalation": matching,
  "PUT /api/v1/hospitals/:hospital_id/escalation": () => ({ json: ESCALATION }),
  "DELETE /api/v1/hospitals/:hospital_id/escalation": matching,
  "POST /api/v1/practitioners": (handle, { role }) => ({
    json: { user_id: handle.staffId, ...(role === "admin" && { hospital_id: handle.hospitalId }) },
  }),
  "PATCH /api/v1/practitioners/:practitioner_id": (handle) => ({ ...matching(handle), json: { about: null } }),
  "DELETE /api/v1/practitioners/:practitioner_id": matching,
  "POST /api/v1/push/subscriptions": () => ({ json: newBrowser().subscription }),
  "PATCH /api/v1/notification-settings": () => ({ json: { language: "hi" }, headers: { "If-Match": "*" } }),
  "PUT /api/v1/notification-preferences": () => ({ json: { choices: [] } }),
  "POST /api/v1/notification-settings/test": async (_, __, person) => {
    if (person) await subscribe(person.id);
    return { json: { channel: "push" } };
  },
  "PUT /api/v1/hospitals/:hospital_id/required-channels": () => ({ json: { required: [] } }),
  "PUT /api/v1/hospitals/:hospital_id/members/:user_id": () => ({ json: { role: "nurse" } }),
  "POST /api/v1/patients": (handle, { role }) => ({
    json: { first_name: "Nobody", ...(role === "admin" && { hospital_id: handle.hospitalId }) },
  }),
  "PATCH /api/v1/patients/:patient_id": (handle) => ({
    json: { monitoring: "home" },
    headers: { "If-Match": `"${handle.version}"` },
  }),
  "DELETE /api/v1/patients/:patient_id": matching,
  "POST /api/v1/patients/claim": ({ code }) => ({ json: { code, date_of_birth: "1964-03-04" } }),
  "POST /api/v1/patients/:patient_id/intake": () => ({ json: { symptoms: ["cough"] } }),
  "POST /api/v1/notifications/read-all": () => ({ json: {} }),
  "POST /api/v1/api-keys": (handle, { role }) => ({
    json: { name: "test", scopes: ["patient:read"], ...(role === "admin" && { hospital_id: handle.hospitalId }) },
  }),
  "POST /api/v1/api-keys/:api_key_id/rotate": () => ({ json: { grace_days: 1 } }),
  "POST /api/v1/webhooks": (handle, { role }) => ({
    json: {
      url: "https://his.example.org/",
      events: ["alert.raised"],
      ...(role === "admin" && { hospital_id: handle.hospitalId }),
    },
  }),
  "PATCH /api/v1/webhooks/:webhook_id": (handle) => ({ ...matching(handle), json: { description: "changed" } }),
  "POST /api/v1/devices": async (handle, { role }, person) => {
    const own = role === "patient" && (await findOwnRecord(person));
    const of = { ...(role === "admin" && { hospital_id: handle.hospitalId }), ...(own && { patient_id: own }) };
    return { json: { kind: "ecg", name: "cart", ...of } };
  },
  "POST /api/v1/devices/claim": () => ({ json: {} }),
  "PATCH /api/v1/devices/:device_id": (handle) => ({ ...matching(handle), json: { model: null } }),
  "DELETE /api/v1/devices/:device_id": matching,
  "POST /api/v1/observations": ({ patientId }) => ({ json: { patient_id: patientId, ...sample() } }),
  "POST /api/v1/observations/quarantine/file": ({ patientId, heldId, heldDeviceId }) => ({
    json: { patient_id: patientId, device_id: heldDeviceId, held_ids: [heldId], reason: "of this patient" },
  }),
  "POST /api/v1/observations/quarantine/discard": ({ heldId, heldDeviceId }) => ({
    json: { device_id: heldDeviceId, held_ids: [heldId], reason: "a test" },
  }),
  "POST /api/v1/wearables/sync": ({ patientId }) => ({
    json: { patient_id: patientId, metrics: [{ timestamp: new Date().toISOString(), heart_rate: 71 }] },
  }),
  "POST /api/v1/patients/:patient_id/observation-sets": () => ({
    json: { effective_at: new Date().toISOString(), samples: [], confirmed_score: null, partial_reason: "asleep" },
  }),
  "PUT /api/v1/patients/:patient_id/observation-pause": () => ({
    json: { reason: "leave", expected_return_at: new Date(Date.now() + 3_600_000).toISOString() },
  }),
  "GET /api/v1/observations/stream": () => UPGRADE,
  "PATCH /api/v1/observations/:observation_id": () => ({ json: { status: "amended", value: 74, reason: "Read off wrongly" } }),
  "POST /api/v1/alerts/:alert_id/assign": ({ memberId }) => ({ json: { user_id: memberId } }),
  "POST /api/v1/alerts/:alert_id/comment": () => ({ json: { text: "Probe had slipped." } }),
  "POST /api/v1/alerts/:alert_id/snooze": () => ({ json: { minutes: 15 } }),
  "PUT /api/v1/wards/:ward_id/alert-rules/:code": () => ({ json: { low: 46 } }),
  "DELETE /api/v1/wards/:ward_id/alert-rules/:code": matching,
  "PUT /api/v1/patients/:patient_id/alert-rules/:code": () => ({ json: { low: 46 } }),
  "DELETE /api/v1/patients/:patient_id/alert-rules/:code": matching,
  "POST /api/v1/patients/:patient_id/alert-rules/preview": () => ({ json: { code: "heart_rate", limits: { low: 46 } } }),
  "PATCH /api/v1/patients/:patient_id/monitoring": (handle) => ({ ...matching(handle), json: { spo2_scale: 2 } }),
  "POST /api/v1/live/tickets": ({ patientId }) => ({ json: { patient_id: patientId } }),
  "GET /api/v1/live": () => UPGRADE,
  "POST /api/v1/devices/:device_id/credentials": () => ({ json: { name: "ward PC" } }),
  "POST /api/v1/devices/:device_id/assignments": (handle) => ({ json: { patient_id: handle.patientId } }),
  "PATCH /api/v1/reports/:report_id": () => ({ json: { comment: "seen", reason: "test" }, headers: { "If-Match": "*" } }),
  "POST /api/v1/reports/:report_id/move": ({ patientId }) => ({
    json: { patient_id: patientId, reason: "test" },
    headers: { "If-Match": "*" },
  }),
  "POST /api/v1/reports/batch": (handle) => {
    const body = uploadForm(newPdf(`batch ${uniqueText()}`));
    body.set("items", JSON.stringify([{ patient_id: handle.patientId }]));
    return { body };
  },
  "POST /api/v1/reports/direct": ({ patientId }) => ({
    json: { patient_id: patientId, size: 1000, sha256: "0".repeat(64), kind: "ecg" },
  }),
  "POST /api/v1/documents": ({ patientId }) => ({ body: documentForm(newText(), { type: "34109-9", patient_id: patientId }) }),
  "POST /api/v1/documents/:document_id/versions": () => ({ body: documentForm(newText()), headers: { "If-Match": "*" } }),
  "POST /api/v1/emergency-access": async ({ patientId }, { role, ended }, person) => {
    const isClinical = person !== null && !ended && (role === "nurse" || role === "doctor");
    return { json: emergencyBody(isClinical ? await newReachedPatient(person) : patientId) };
  },
  "PUT /api/v1/patients/:patient_id/notice-delay": () => ({ json: delayBody() }),
  "POST /api/v1/privacy-reviews/:review_id/close": () => ({ json: { outcome: "explained", note: "a test" } }),
  "POST /api/v1/privacy-questions": ({ eventId }) => ({ json: { event_id: eventId, text: "a test" } }),
  "DELETE /api/v1/documents/:document_id": () => ({ json: { reason: "a test" }, headers: { "If-Match": "*" } }),
  "POST /api/v1/consents": async ({ patientId }) => {
    await forgetDenials(patientId);
    return { json: { patient_id: patientId, purpose: "CAREMGT", ...newScope() } };
  },
  "POST /api/v1/consents/:consent_id/grant": ({ patientId }) => ({ json: { patient_ids: [patientId] } }),
  "POST /api/v1/consents/share": ({ hospitalId, patientId }) => ({
    json: { hospital_id: hospitalId, patient_ids: [patientId], ...newScope() },
  }),
  "POST /api/v1/patients/:patient_id/guardians": ({ code }) => ({ json: newGuardianBody(code) }),
  "POST /api/v1/guardianships/:guardianship_id/end": () => ({ json: { reason: "a test" } }),
  "POST /api/v1/consents/redeem": ({ code, patientId }) => ({ json: { code, patient_id: patientId } }),
  "POST /api/v1/consents/offers": async ({ patientId }, _, person) => {
    return { json: { patient_ids: [(await findOwnRecord(person)) ?? patientId], ...newScope() } };
  },
  "POST /api/v1/document-requests": async ({ patientId }) => {
    await forgetDenials(patientId);
    return { json: { patient_id: patientId, description: "a test" } };
  },
  "POST /api/v1/document-requests/:document_request_id/reject": () => ({ json: { reason: "a test" } }),
  "POST /api/v1/document-requests/:document_request_id/fulfil": ({ documentId }) => ({ json: { document_ids: [documentId] } }),
  "POST /api/v1/uploads/:upload_id/assign": ({ patientId }) => ({ json: { patient_id: patientId } }),
  "POST /api/v1/uploads/:upload_id/discard": () => ({ json: { reason: "test print" } }),
  "POST /api/v1/reports": (handle) => ({ body: form(handle) }),
  "POST /api/v1/ecg/reports/upload": (handle) => ({ body: form(handle) }),
  "POST /api/v1/reports/raw": async () => {
    const body = newPdf(`raw ${uniqueText()}`);
    const headers = { "Content-Type": "application/pdf", "Content-Length": String(body.length) };
    return { body, headers: { ...headers, "X-Content-SHA256": await sha256(body) } };
  },
};

/** Queries of the routes that need them. */
const QUERIES: RouteQueries = {
  ...CARE_QUERIES,
  "POST /api/v1/reports/raw": ({ patientId }) => `?patient_id=${patientId}`,
  "GET /api/v1/consents/check": ({ patientId }) => `?patient_id=${patientId}`,
  "GET /api/v1/live": ({ patientId }) => `?patient_id=${patientId}`,
  "GET /api/v1/live/sse": ({ patientId }) => `?patient_id=${patientId}`,
  "GET /api/v1/wearables/metrics/recent": ({ patientId }) => `?patient_id=${patientId}`,
  "GET /api/v1/wearables/summary": ({ patientId }) => `?patient_id=${patientId}`,
  "GET /api/v1/wards/:ward_id/trends": () => "?code=heart_rate",
  "GET /api/v1/audit-events/:event_id/proof": ({ hospitalId }) => `?hospital_id=${hospitalId}`,
  "GET /api/v1/patients/search": ({ hospitalId }, { role }) => `?q=first${role === "admin" ? `&hospital_id=${hospitalId}` : ""}`,
};

/** A browser of the person, whatever state their account is in. @returns the id of the subscription */
async function subscribe(userId: string, id = v7()): Promise<string> {
  const context = { table: "push_subscriptions", column: "subscription", id };
  const sealed = await sealValue((await getKeys(env)).fields, context, { ...newBrowser().subscription, browser: null });
  const row = [id, userId, id, sealed, Date.now(), Date.now()];
  await env.DB.prepare("INSERT OR IGNORE INTO push_subscriptions VALUES (?, ?, ?, ?, ?, ?)")
    .bind(...row)
    .run();
  return id;
}

/** A browser of the session's person, under the id of the session; none for a session that does not exist. */
export async function subscribeSession(sessionId: string): Promise<string> {
  const owner = await env.DB.prepare("SELECT user_id FROM sessions WHERE id = ?").bind(sessionId).first<string>("user_id");
  return owner === null ? sessionId : subscribe(owner, sessionId);
}

/** A record that the person's account is linked to; earlier cells of the matrix may have linked others. */
const findOwnRecord = (person: Person | null): Promise<string | null> =>
  env.DB.prepare("SELECT patient_id FROM patient_links WHERE user_id = ? LIMIT 1")
    .bind(person?.id ?? "")
    .first<string>("patient_id");

export async function callRoute(
  route: string,
  handle: ResourceIds,
  player: TestCaller,
  sessionId: string,
  token = player.token,
  counted?: Env,
) {
  const [method = "GET", pattern = ""] = route.split(" ");
  const isTeam = pattern.includes("care-team");
  const named: Record<string, string> = {
    user_id: isTeam ? handle.memberId : handle.staffId,
    session_id: sessionId,
    ...(pattern.includes(":passkey_id") && { passkey_id: await newPasskeyRow(sessionId) }),
    ...(pattern.includes("push_subscription_id") && { push_subscription_id: await subscribeSession(sessionId) }),
    ...(pattern.includes(":offer_id") && { offer_id: await offerOfSession(sessionId) }),
    code: "heart_rate",
    ...(pattern.includes("/direct/") && { upload_id: handle.directId }),
    ...(/document-requests.*\/(approve|reject|fulfil)$/.test(pattern) && { document_request_id: handle.incomingRequestId }),
  };
  const ids = new Map(Object.entries(handle));
  const path = pattern.replace("/*", "/docs.js").replace(/:(\w+)/g, (_, name: string) => {
    const key = name.replace(/_(\w)/g, (_underscore, letter: string) => letter.toUpperCase());
    const id = named[name] ?? ids.get(key);
    if (id === undefined) throw new Error(`${route}: ResourceIds of test/authz.world.ts has no ${key} for :${name}`);
    return String(id);
  });
  if (player.person && STEP_UP_ROUTES.test(pattern)) await Promise.all([player.person.sessionId, sessionId].map(renewSignIn));
  if (pattern.endsWith("/consents/share") && player.person && player.principal.role === "patient") {
    return withTwoRecords(player.person, (hospital_id, patientId) => {
      const json = { hospital_id, patient_ids: [patientId], ...newScope() };
      return sendRequest(path, { json, method, as: token, ...(counted && { env: counted }) });
    });
  }
  const more = (await BODIES[route]?.(handle, player.principal, player.person)) ?? {};
  const query = QUERIES[route]?.(handle, player.principal) ?? "";
  return ended(await sendRequest(path + query, { ...more, method, as: token, ...(counted && { env: counted }) }));
}

/** Open-ended responses, with the first frame as a body. */
async function ended(response: Response): Promise<Response> {
  const { webSocket: socket, body, headers } = response;
  if (socket) {
    socket.accept();
    const frame = await new Promise<string>((resolve) => {
      socket.addEventListener("message", ({ data }) => resolve(String(data)));
    });
    socket.close();
    return new Response(frame, { headers });
  }
  if (!headers.get("content-type")?.startsWith("text/event-stream") || !body) return response;
  const reader = body.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new Response(value, { headers });
}
