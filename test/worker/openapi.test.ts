// The OpenAPI document is correct: it lists every route, every example works, and every response matches its schema.
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { app } from "../../src/app.ts";
import { PATH_ALIASES } from "../../src/http/path-aliases.ts";
import { EXAMPLES } from "../../src/http/router.ts";
import { toAlertId } from "../../src/monitoring/patient-object/samples/ids.ts";
import { renewSignIn } from "../authz.factors.ts";
import { newWebhook } from "../authz.world.ts";
import { careBodyOf, careIdsOf, isOfManagers, isPublicCare, newCareExamples } from "../care-examples.ts";
import { newConsent, newOffer } from "../consent-rows.ts";
import { documentForm, newDocument, newText } from "../document-files.ts";
import { newIncoming, newRequestRow } from "../document-request-rows.ts";
import { newAccessRow, newDelayRow, newReachedPatient } from "../emergency-scene.ts";
import { newErasure, newHold, RETENTION } from "../erasure-rows.ts";
import { type Contract, createContract } from "../fuzz/contract.ts";
import { newGuardianCode, newGuardianship } from "../guardian-rows.ts";
import { readToken } from "../letters.ts";
import { newFailedDelivery, newNotification } from "../notification-rows.ts";
import { makeOfficer, newReview } from "../privacy-rows.ts";
import { newRecordExport } from "../record-export-rows.ts";
import {
  API,
  env,
  link,
  newDevice,
  newHospital,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  type Person,
  type RequestOptions,
  readJson,
  sendRequest,
  sha256,
  uniqueText,
  uploadForm,
  uploadReport,
  type World,
} from "../world.ts";
import { newBrowser } from "./push-service.ts";

type Schema = { [key: string]: unknown; properties?: Record<string, Schema>; items?: Schema; type?: unknown };
type Content = Record<string, { schema: Schema; example?: unknown }>;
type Operation = {
  operationId: string;
  summary?: string;
  tags?: string[];
  security?: Record<string, string[]>[];
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: Content };
  responses: Record<string, { description: string; headers?: Record<string, unknown>; content?: Content }>;
};
type Document = {
  openapi: string;
  info: { title: string; version: string };
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; securitySchemes: Record<string, unknown> };
};

let document: Document;
let operations: { path: string; method: string; name: string; operation: Operation }[] = [];
let contract: Contract;
/** Validation errors of a JSON value against its documented schema. */
const faults = (value: unknown, ...where: string[]): string[] => contract.findSchemaFaults(value, ...where);

beforeAll(async () => {
  const response = await sendRequest("/openapi.json");
  expect(response.status).toBe(200);
  const description = await readJson(response);
  document = description;
  contract = createContract(description);
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      name: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  );
});

describe("the description", () => {
  it("is OpenAPI 3.1 and every reference in it leads somewhere", () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({ title: "EdgeCare API" });
    expect(document.components.securitySchemes).toHaveProperty("bearer");
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((m) => m[1] ?? "");
    expect(refs.length).toBeGreaterThan(100);
    for (const ref of refs) expect(document.components.schemas).toHaveProperty(ref);
    expect(JSON.stringify(document)).not.toContain('"nullable":');
  });

  it("has every route, and no other", () => {
    const undocumented = ["GET /assets/*", "GET /portal/*", "GET /docs", "GET /redoc", "GET /openapi.json"];
    const routes = new Set(
      app.routes.filter((r) => r.method !== "ALL").map((r) => `${r.method} ${r.path.replace(/:(\w+)/g, "{$1}")}`),
    );
    const documented = operations.map(({ name }) => name);
    const known = [...routes].filter((r) => !undocumented.includes(r));
    const renamed = PATH_ALIASES.flatMap(({ path, canonical }) =>
      known.filter((r) => r.endsWith(` ${canonical}`) || r.includes(` ${canonical}/`)).map((r) => r.replace(canonical, path)),
    );
    expect(renamed.length).toBeGreaterThan(30);
    expect(documented.sort()).toEqual([...known, ...renamed].sort());
  });

  it("says of every operation what it is, which parameters its path has and who may ask", () => {
    const open =
      /^\/(health|health\/ready|\.well-known.*|api\/token|api\/v1\/auth\/(login|login\/second-step|passkey\/(options|login)|refresh|bootstrap|register.*|invitations\/accept|password\/(forgot|reset)|email\/verify)|api\/v1\/(wearables\/)?devices\/claim|api\/v1\/sms\/status|api\/v1\/intake\/(open|submit))?$/;
    for (const { path, name, operation } of operations) {
      expect(operation.summary?.length, name).toBeGreaterThan(3);
      expect(operation.tags?.length, name).toBe(1);
      const named = (operation.parameters ?? []).filter((p) => p.in === "path").map((p) => `{${p.name}}`);
      expect(named.sort(), name).toEqual((path.match(/\{\w+\}/g) ?? []).sort());
      expect((operation.security ?? []).length > 0, name).toBe(!open.test(path));
    }
  });

  it("says of every operation and answer what all have in common", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(operations.length);
    for (const id of ids) expect(id).toMatch(/^[a-z]+[A-Z][A-Za-z0-9]*$/);
    const tags = document.tags.map(({ name }) => name);
    for (const { name, operation } of operations) {
      expect(tags, name).toContain(operation.tags?.[0]);
      for (const [status, { headers }] of Object.entries(operation.responses)) {
        const wanted = ["X-Request-Id", "RateLimit-Policy", ...(["429", "503"].includes(status) ? ["Retry-After"] : [])];
        for (const header of wanted) expect(headers, `${name} ${status}`).toHaveProperty(header);
      }
      expect(Object.keys(operation.responses), name).toContain("500");
    }
  });

  it("names the headers that a create and a change take", () => {
    const headers = (name: string) =>
      (operations.find((o) => o.name === name)?.operation.parameters ?? []).filter((p) => p.in === "header").map((p) => p.name);
    for (const path of ["users", "hospitals", "wards", "practitioners", "patients", "devices", "reports", "documents"]) {
      expect(headers(`POST ${API}/${path}`), path).toContain("idempotency-key");
    }
    expect(headers(`PATCH ${API}/patients/{patient_id}`)).toContain("if-match");
    for (const path of ["hospitals/{hospital_id}", "wards/{ward_id}", "practitioners/{practitioner_id}"]) {
      for (const method of ["PATCH", "DELETE"]) expect(headers(`${method} ${API}/${path}`), path).toContain("if-match");
    }
  });

  it("is checked by something that sees a missing, a wrong and an undocumented field", () => {
    const where = ["paths", `${API}/devices/{device_id}`, "get", "responses", "200", "content", "application/json", "schema"];
    const example =
      document.paths[`${API}/devices/{device_id}`]?.["get"]?.responses["200"]?.content?.["application/json"]?.example;
    const { data, ...rest } = Object(example);
    const { name, ...nameless } = data;
    expect(faults({ ...rest, data }, ...where)).toEqual([]);
    for (const wrong of [nameless, { ...data, name: 7 }, { ...data, secret_hash: name }]) {
      expect(faults({ ...rest, data: wrong }, ...where)).not.toEqual([]);
    }
  });

  it("has an example for every body and every answer, and each fits its own schema", () => {
    let checked = 0;
    for (const { path, method, name, operation } of operations) {
      const at = ["paths", path, method.toLowerCase()];
      for (const [type, { example }] of Object.entries(operation.requestBody?.content ?? {})) {
        if (!/json|urlencoded/.test(type)) continue;
        expect(faults(example, ...at, "requestBody", "content", type, "schema"), name).toEqual([]);
        checked++;
      }
      for (const [status, { content }] of Object.entries(operation.responses)) {
        if (!status.startsWith("2") || !content?.["application/json"]) continue;
        const where = [...at, "responses", status, "content", "application/json", "schema"];
        expect(faults(content["application/json"].example, ...where), `${name} ${status}`).toEqual([]);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(55);
  });
});

/** Validates a response against the documentation of its status. */
async function checkAnswer(name: string, response: Response): Promise<unknown> {
  const [method = "", path = ""] = name.split(" ");
  const status = String(response.status);
  const documented = document.paths[path]?.[method.toLowerCase()]?.responses[status];
  expect(documented, `${name} answers ${status}: ${documented ? "" : await response.clone().text()}`).toBeDefined();
  const type = response.headers.get("content-type")?.split(";")[0] ?? "";
  response.webSocket?.accept();
  response.webSocket?.close();
  if (!documented?.content) return null;
  expect(Object.keys(documented.content), `${name} ${status}`).toContain(type);
  if (type === "text/event-stream") return response.body?.cancel();
  if (!type.includes("json")) return response.arrayBuffer();
  const body = await readJson(response);
  const where = ["paths", path, method.toLowerCase(), "responses", status, "content", type, "schema"];
  expect(faults(body, ...where), `${name} ${status} ${JSON.stringify(body).slice(0, 300)}`).toEqual([]);
  return body;
}

type Stage = { world: World; ids: Record<string, string>; person: Person; sharer: Person; device: { token: string } };

async function newStage(): Promise<Stage> {
  const world = await newWorld();
  const device = await newDevice(world.nurse, world.patient.id);
  const sent = await uploadReport(device, newPdf(), {
    patient_id: world.patient.id,
    metrics: '{"heart_rate":72}',
    confidence: "0.9",
  });
  const spare = await newPerson("nurse", world.hospitalId);
  const ward = await sendRequest(`${API}/wards`, { as: world.manager, json: { name: `Ward ${uniqueText()}` } });
  const wardId = (await readJson(ward)).data.ward_id;
  const profile = await sendRequest(`${API}/practitioners`, { as: world.manager, json: { user_id: world.nurse.id } });
  const invite = async (by: Person, email: string, hospital_id: string) =>
    (await readJson(await sendRequest(`${API}/users/invite`, { as: by, json: { email, hospital_id, role: "nurse" } }))).data;
  const invitation = await invite(world.manager, `${uniqueText()}@example.org`, world.hospitalId);
  const elsewhere = await invite(world.admin, spare.email, await newHospital());
  const reset = await sendRequest(`${API}/users/${world.doctor.id}/password-reset`, { as: world.manager, method: "POST" });
  const key = await sendRequest(`${API}/api-keys`, { as: world.manager, json: { name: "test", scopes: ["patient:read"] } });
  const mistake = await newPatient(world.hospitalId, world.nurse);
  const held = await newPatient(world.hospitalId, world.nurse);
  const claim = await sendRequest(`${API}/patients/${world.patient.id}/claim-codes`, { as: world.nurse, method: "POST" });
  const { webhookId, messageId } = await newWebhook(world.hospitalId);
  for (const person of [world.nurse, world.doctor]) await makeOfficer(person);
  await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse });
  const sharing = await newSharer(world);
  for (const person of [world.manager, world.admin]) await renewSignIn(person.sessionId);
  await newDelayRow(world.patient.id, world.nurse);
  const practitionerId: string = (await readJson(profile)).data.practitioner_id;
  const ids = {
    ...(await newCareExamples(world, practitionerId)),
    webhook_id: webhookId,
    message_id: messageId,
    invitation_id: invitation.invitation_id,
    invitation_token: invitation.token,
    join_token: elsewhere.token,
    reset_token: (await readJson(reset)).data.token,
    email_token: await newEmailToken(world.nurse),
    patient_id: world.patient.id,
    report_id: (await readJson(sent)).data.report_id,
    document_id: await newDocument(world.nurse, world.patient.id),
    export_id: await newRecordExport(world.patient.id, world.manager),
    ...(await newRequests(world)),
    erasure_id: await newErasure(world.patient.id, world.hospitalId, "erased"),
    undecided_id: await newErasure(held.id, world.hospitalId, "requested"),
    held_patient_id: held.id,
    user_id: world.doctor.id,
    hospital_id: world.hospitalId,
    device_id: device.id,
    credential_id: device.credentialId,
    session_id: spare.sessionId,
    ...(await newPush(world.nurse)),
    ward_id: wardId,
    practitioner_id: practitionerId,
    passkey_id: uniqueText(),
    api_key_id: (await readJson(key)).data.api_key_id,
    notification_id: await newNotification(world.nurse),
    delivery_id: await newFailedDelivery(world.hospitalId),
    mistake_id: mistake.id,
    code: (await readJson(claim)).data.code,
    upload_id: (await readJson(await uploadReport(await newDevice(world.nurse, null), newPdf()))).data.upload_id,
    direct_id: await newDirect(world),
    observation_id: await newObservation(world),
    held_id: await newHeld(world),
    alert_id: await newAlert(world),
    device_code: await newDeviceCode(world, device.id),
    grant_id: await newGrant(world),
    ...(await newEvent(world)),
    emergency_access_id: await newAccessRow(world.doctor, world.hospitalId, world.stranger.id),
    emergency_id: await newReachedPatient(world.doctor),
    review_id: await newReview(world.hospitalId, world.patient.id, world.nurse),
  };
  for (const path of [`wards/${wardId}`, `patients/${world.patient.id}`]) {
    const json = { low: 46 };
    expect((await sendRequest(`${API}/${path}/alert-rules/heart_rate`, { as: world.nurse, method: "PUT", json })).status).toBe(
      200,
    );
  }
  await newHold(held.id, world.hospitalId);
  await sendRequest(`${API}/hospitals/${world.hospitalId}/retention`, { as: world.manager, method: "PUT", json: RETENTION });
  for (const path of [`wards/${wardId}`, `hospitals/${world.hospitalId}`]) {
    const json = { escalation_minutes: { high: [2, 5], medium: [15, 45], low: [] } };
    expect((await sendRequest(`${API}/${path}/escalation`, { as: world.manager, method: "PUT", json })).status).toBe(200);
  }
  return { world, ids: { ...ids, ...sharing.ids }, person: spare, sharer: sharing.sharer, device };
}

/** Somebody with a record at the hospital and one elsewhere, with consents in two states and a code. */
async function newSharer({ hospitalId, nurse, patient }: World) {
  const [sharer, other] = [await newPerson("patient"), await newWorld()];
  const elsewhere = await newPatient(other.hospitalId, other.nurse);
  const here = await newPatient(hospitalId, nurse);
  for (const record of [here, elsewhere, patient]) await link(sharer, record);
  const offer = await newOffer(sharer, [elsewhere.id]);
  const ids = {
    consent_id: await newConsent(patient.id),
    granted_id: await newConsent(patient.id, "granted"),
    offer_id: offer.offerId,
    offer_code: offer.code,
    guardianship_id: await newGuardianship(patient.id, sharer.id),
    guardian_code: await newGuardianCode(await newPerson("patient")),
    elsewhere_id: elsewhere.id,
  };
  return { sharer, ids };
}

/** A document request of the hospital, and two to it. */
async function newRequests({ nurse, patient, hospitalId }: World) {
  const own = { patientId: patient.id, hospitalId };
  return {
    document_request_id: await newRequestRow(own, nurse.id),
    incoming_id: await newIncoming(own, await newHospital(), nurse),
    approved_id: await newIncoming(own, await newHospital(), nurse, "approved"),
  };
}

async function newEmailToken(person: Person): Promise<string> {
  await sendRequest(`${API}/auth/email/verification`, { as: person, method: "POST" });
  return readToken(person.id, "letter.email_verification");
}

/** A browser of the person, whom the example of a test message reaches. */
async function newPush(person: Person) {
  const sent = await sendRequest(`${API}/push/subscriptions`, { as: person, json: newBrowser().subscription });
  const { subscription_id: id } = (await readJson(sent)).data;
  return { subscription_id: id, push_subscription_id: id };
}

/** Asystole of a monitored patient. */
async function newAlert({ nurse, stranger }: World): Promise<string> {
  const headers = { "If-Match": '"1"' };
  await sendRequest(`${API}/patients/${stranger.id}`, { as: nurse, method: "PATCH", json: { monitoring: "home" }, headers });
  await sendRequest(`${API}/observations`, { as: nurse, json: { patient_id: stranger.id, ...sample(), value: 0 } });
  return toAlertId(stranger.id, 1);
}

async function newDeviceCode({ nurse }: World, deviceId: string): Promise<string> {
  return (await readJson(await sendRequest(`${API}/devices/${deviceId}/claim-code`, { as: nurse, method: "POST" }))).data.code;
}

/** A direct upload whose file has been stored. */
async function newDirect({ nurse, patient }: World): Promise<string> {
  const pdf = newPdf();
  const json = { patient_id: patient.id, size: pdf.length, sha256: await sha256(pdf) };
  const { data } = await readJson(await sendRequest(`${API}/reports/direct`, { as: nurse, json }));
  const row = env.DB.prepare("SELECT incoming_key FROM uploads WHERE id = ?").bind(data.upload_id);
  await env.FILES.put((await row.first<string>("incoming_key")) ?? "", pdf);
  return data.upload_id;
}

const sample = () => ({ code: "8867-4", value: 72, unit: "/min", effective_at: new Date().toISOString() });

async function newObservation({ nurse, patient }: World): Promise<string> {
  const { data } = await readJson(
    await sendRequest(`${API}/observations`, { as: nurse, json: { patient_id: patient.id, ...sample() } }),
  );
  return data.results[0].observation_id;
}

/** A sample of an unassigned device. */
async function newHeld({ nurse }: World): Promise<string> {
  const device = await newDevice(nurse, null);
  await sendRequest(`${API}/observations`, { as: device, json: sample() });
  const row = env.DB.prepare("SELECT id FROM held_observations WHERE device_id = ?").bind(device.id);
  return (await row.first<string>("id")) ?? "";
}

/** The documented items of a batch, with a file for each. */
function batchForm(example: unknown, stage: Stage): FormData {
  const form = new FormData();
  const items = real(JSON.parse(String(example)), stage);
  for (const _ of Array.isArray(items) ? items : []) form.append("file", new File([newPdf()], "ecg.pdf"));
  form.set("items", JSON.stringify(items));
  return form;
}

/** Replaces ids and secrets of the documentation by those of the test's data. */
function real(example: unknown, { ids, person }: Stage): unknown {
  let text = JSON.stringify(example);
  for (const [name, exampleId] of Object.entries(EXAMPLES)) {
    const id = ids[`${name}_id`];
    if (id !== undefined) text = text.replaceAll(exampleId, id);
  }
  text = text.replaceAll("MFRG-GZDF-MZTW", ids["code"] ?? "").replaceAll("K7MQ-2XWH", ids["device_code"] ?? "");
  text = text.replaceAll("eci_…", ids["invitation_token"] ?? "").replaceAll("ecp_…", ids["reset_token"] ?? "");
  text = text.replaceAll("ecv_…", ids["email_token"] ?? "");
  return JSON.parse(text.replaceAll("ecr_…", person.refresh).replaceAll("the BOOTSTRAP_TOKEN", env.BOOTSTRAP_TOKEN));
}

function callerOf(name: string, { world, person, device, sharer }: Stage): { token: string } | null {
  if (isPublicCare(name)) return null;
  if (isOfManagers(name)) return world.manager;
  if (name.endsWith("/observations/stream")) return device;
  if (/\/consents\/(share|check|offers|\{consent_id\}\/)/.test(name)) return sharer;
  if (name === "GET /metrics") return { token: env.METRICS_TOKEN ?? "" };
  if (
    / \/(health|\.well-known|api\/token|$)|auth\/(login|passkey\/|refresh|bootstrap|register|invitations\/accept|password\/(forgot|reset)|email\/verify)|devices\/claim$/.test(
      name,
    )
  )
    return null;
  if (
    /\/admin\/|\/import-grants|\/storage$|\/legal-hold$|POST \/api\/v1\/hospitals$|DELETE \/api\/v1\/hospitals\/\{hospital_id\}$/.test(
      name,
    )
  )
    return world.admin;
  if (/\/(patients\/claim|privacy-questions|guardian-codes|guardianships|wearables\/(metrics\/recent|summary))$/.test(name))
    return world.self;
  if (name === `DELETE ${API}/patients/{patient_id}`) return world.manager;
  if (name.includes("/patients/{patient_id}/export")) return world.manager;
  if (name.includes("/emergency-access")) return world.doctor;
  if (
    /audit-events|api-keys|webhooks|retention|erasure|hold|escalation|\/staff|required-channels|deliveries|factor-policy|members|privacy-officers|\/users|PATCH .*hospitals|(POST|PATCH|DELETE) .*\/(wards|practitioners)/.test(
      name,
    )
  )
    return world.manager;
  return /\/auth\//.test(name) ? person : world.nurse;
}

const rawUpload = (body: Uint8Array<ArrayBuffer>): RequestOptions => ({
  body,
  headers: {
    "Content-Type": "application/pdf",
    "Content-Length": String(body.length),
    "X-Content-SHA256": createHash("sha256").update(body).digest("hex"),
  },
});

function requestOf({ path, method, name, operation }: (typeof operations)[number], stage: Stage): [string, RequestOptions] {
  const ids: Record<string, string | undefined> = { ...stage.ids, ...careIdsOf(name, stage.ids) };
  if (path.includes("/alert-rules/")) ids["code"] = "heart_rate";
  if (path.endsWith("/revoke")) ids["consent_id"] = stage.ids["granted_id"];
  if (path.includes("/direct/")) ids["upload_id"] = stage.ids["direct_id"];
  if (/document-requests.*\/(approve|reject)$/.test(path)) ids["document_request_id"] = stage.ids["incoming_id"];
  if (path.endsWith("/fulfil")) ids["document_request_id"] = stage.ids["approved_id"];
  if (name === `DELETE ${API}/patients/{patient_id}`) ids["patient_id"] = stage.ids["mistake_id"];
  if (name.endsWith("/hold/release")) ids["patient_id"] = stage.ids["held_patient_id"];
  if (/\/(approve|reject)$/.test(name)) ids["erasure_id"] = stage.ids["undecided_id"];
  if (name.startsWith(`DELETE ${API}/patients/{patient_id}/links/`)) ids["user_id"] = stage.world.self.id;
  const needed = (operation.parameters ?? []).filter((p) => p.in === "query" && p.required);
  const query = needed.map((p) => `${p.name}=${encodeURIComponent(String(real(p.schema["example"], stage)))}`).join("&");
  const url = path.replace(/\{(\w+)\}/g, (_, id: string) => ids[id] ?? "");
  const content = operation.requestBody?.content ?? {};
  const ask: RequestOptions = { as: callerOf(name, stage), method };
  const joining = { ...stage, ids: { ...stage.ids, invitation_token: stage.ids["join_token"] ?? "" } };
  const meant = name.endsWith("/invitations/join") ? joining : stage;
  if (content["application/json"]) ask.json = careBodyOf(name, real(content["application/json"].example, meant), stage.ids);
  if (path.endsWith("/guardians") && ask.json) ask.json = { ...Object(ask.json), code: stage.ids["guardian_code"] };
  if (path.endsWith("/emergency-access") && ask.json) ask.json = { ...Object(ask.json), patient_id: stage.ids["emergency_id"] };
  if (path.endsWith("/consents/redeem")) ask.json = { ...Object(ask.json), code: stage.ids["offer_code"] };
  if (/\/consents\/(share|offers|\{consent_id\}\/grant)$/.test(path) && ask.json)
    ask.json = { ...Object(ask.json), patient_ids: [stage.ids["elsewhere_id"]] };
  if (path.endsWith("/consents/share")) ask.json = { ...Object(ask.json), patient_id: stage.ids["patient_id"] };
  if (content["application/pdf"]) return [`${url}?patient_id=${stage.ids["patient_id"]}`, { ...ask, ...rawUpload(newPdf()) }];
  if (path.endsWith("/import-grants") && ask.json)
    ask.json = { ...Object(ask.json), expires_at: new Date(Date.now() + 3_600_000).toISOString() };
  if (path.endsWith("/observation-sets")) ask.json = { ...Object(ask.json), effective_at: new Date().toISOString() };
  if (path.endsWith("/observation-pause") && ask.json)
    ask.json = { ...Object(ask.json), expected_return_at: new Date(Date.now() + 3_600_000).toISOString() };
  if (content["multipart/form-data"]) ask.body = uploadForm(newPdf(), { patient_id: stage.ids["patient_id"] });
  if (path.endsWith("/documents")) ask.body &&= documentForm(newText(), { type: "34109-9", patient_id: stage.ids["patient_id"] });
  if (path.endsWith("/versions")) ask.body = documentForm(newText());
  if (path.endsWith("/batch")) {
    ask.body = batchForm(content["multipart/form-data"]?.schema.properties?.["items"]?.["example"], stage);
  }
  if (content["application/x-www-form-urlencoded"]) {
    const example = real(content["application/x-www-form-urlencoded"].example, stage);
    ask.body = new URLSearchParams(Object.entries(Object(example)));
  }
  if (operation.parameters?.some((p) => p.name === "if-match")) ask.headers = { "If-Match": '"1"' };
  if (operation.responses["101"]) ask.headers = { Upgrade: "websocket" };
  return [query ? `${url}?${query}` : url, ask];
}

/** An entry of the patient's own log; examples of bodies name it by the id of a request. */
async function newEvent({ manager, patient }: World) {
  const { data } = await readJson(await sendRequest(`${API}/audit-events?patient_id=${patient.id}`, { as: manager }));
  return { event_id: data[0].id, request_id: data[0].id };
}

async function newGrant({ admin, hospitalId }: World): Promise<string> {
  const json = { bytes: 1000, expires_at: new Date(Date.now() + 3_600_000).toISOString(), reason: "Old reports" };
  return (await readJson(await sendRequest(`${API}/hospitals/${hospitalId}/import-grants`, { as: admin, json }))).data.grant_id;
}

/** Aliases use the same handlers (aliases.test.ts). */
const isAlias = ({ path }: { path: string }) =>
  PATH_ALIASES.some((alias) => path === alias.path || path.startsWith(`${alias.path}/`));

/** Examples of codes, passkeys and signatures cannot be right; the tests of factors, phone numbers and callbacks send real ones. */
const needsProof = ({ name }: { name: string }) =>
  !name.startsWith("GET ") &&
  /auth\/(mfa\/|passkeys(\/\{|$)|passkey\/login|login\/second)|factors\/reset|phone\/verify|sms\/status/.test(name);

describe("its examples", () => {
  it("all work as written, and all answers, refusals too, are as described", async () => {
    // The first administrator can be created only once, before all others.
    const bootstrap = operations.findIndex(({ name }) => name.endsWith("/auth/bootstrap"));
    const [first, ...rest] = [...operations.splice(bootstrap, 1), ...operations.filter((o) => !isAlias(o) && !needsProof(o))];
    if (!first) throw new Error("no bootstrap");
    const { example } = first.operation.requestBody?.content["application/json"] ?? {};
    const token = { ...Object(example), token: env.BOOTSTRAP_TOKEN };
    expect((await sendRequest(first.path, { json: token })).status).toBe(201);

    const shared = await newStage();
    const asha = { email: "asha@example.org", username: "asha.rao", full_name: "Asha Rao", password: "correct horse battery" };
    const made = await sendRequest(`${API}/users`, { as: shared.world.manager, json: { ...asha, role: "doctor" } });
    expect(made.status).toBe(201);
    let executed = 0;
    // An example may consume what the next one needs (a code, the first version of a row): then it gets a new set of data.
    let used = await newStage();
    for (const operation of rest) {
      const reads = operation.method === "GET" || operation.path.includes("/login");
      let stage = reads ? shared : used;
      let [url, options] = requestOf(operation, stage);
      let response = await sendRequest(url, options);
      if (response.status === 412) {
        // Another example has changed the row: this one applies to any version.
        await response.body?.cancel();
        options = { ...options, headers: { ...options.headers, "If-Match": "*" } };
        response = await sendRequest(url, options);
      }
      if (!response.ok && !reads) {
        await response.body?.cancel();
        used = await newStage();
        stage = used;
        [url, options] = requestOf(operation, stage);
        response = await sendRequest(url, options);
      }
      const succeeded = response.ok || response.status === 101;
      expect(succeeded, `${operation.name} ${response.status} ${succeeded ? "" : await response.clone().text()}`).toBe(true);
      await checkAnswer(operation.name, response);
      executed++;
      if (!operation.operation.security?.length) continue;
      await checkAnswer(operation.name, await sendRequest(url, { ...options, as: null }));
      const refused = await sendRequest(url, {
        ...options,
        as: stage.world.self,
        ...(options.body && { body: uploadForm(newPdf()) }),
      });
      await checkAnswer(operation.name, refused);
    }
    expect(executed).toBe(rest.length);
  });

  it("the queries that are documented as examples work too", async () => {
    const { world, ids, device, sharer } = await newStage();
    for (const { path, method, operation } of operations) {
      const queries = (operation.parameters ?? []).filter((p) => p.in === "query" && p.schema["example"] !== undefined);
      if (method !== "GET" || queries.length === 0 || path.includes("/admin/") || isAlias({ path })) continue;
      const query = queries.map(
        (p) =>
          `${p.name}=${encodeURIComponent(String(real(p.schema["example"], { world, ids, device, sharer, person: world.nurse })))}`,
      );
      const url = path.replace(/\{(\w+)\}/g, (_, id: string) => ids[id] ?? "");
      const staff = /audit|members|users|api-keys|webhooks|deliveries|import-grants|erasures|holds|\/export$/.test(path)
        ? world.manager
        : world.nurse;
      const callers = new Map([
        ["/consents/offers", sharer],
        ["/privacy-questions", world.self],
        ["/guardianships", world.self],
      ]);
      const as = [...callers].find(([end]) => path.endsWith(end))?.[1] ?? staff;
      const response = await sendRequest(`${url}?${query.join("&")}`, { as });
      expect(response.status, `${path}?${query}`).toBe(200);
      await checkAnswer(`GET ${path}`, response);
    }
  });
});
