// A separate hospital per test: users with sessions, patients with canaries, devices, and requests through the Worker's entry.
import { createExecutionContext, listDurableObjectIds, runInDurableObject, waitOnExecutionContext } from "cloudflare:test";
import { env as realEnv } from "cloudflare:workers";
import type { Actor, Role, UserActor, UserCall, UserEffectiveRole } from "../src/access/actor.ts";
import { computeEmailIndex, computeUsernameIndex } from "../src/accounts/auth/login-names.ts";
import { hashPassword } from "../src/accounts/passwords/passwords.ts";
import { signAccessToken } from "../src/accounts/sessions/access-tokens.ts";
import { prepareSession, refreshToken } from "../src/accounts/sessions/sessions.ts";
import { app } from "../src/app.ts";
import type { AuditLog } from "../src/audit-log/audit-log.ts";
import { createAuditLogs } from "../src/audit-log/audit-logs.ts";
import { type AuditLogEvent, MAX_LISTED_SEGMENTS, NO_HOSPITAL_LOG } from "../src/audit-log/contract.ts";
import { readSegment } from "../src/audit-log/segments/read-segment.ts";
import { preparePatient as patientStatements } from "../src/patients/new-patient.ts";
import { getKeys } from "../src/platform/config.ts";
import { sealValue } from "../src/platform/crypto.ts";
import { batch, getDb } from "../src/platform/db/client.ts";
import { careTeam, hospitals, memberships, patientLinks, users } from "../src/platform/db/schema.ts";
import { uuidv7 } from "../src/platform/ids.ts";
import { leaveInBackground } from "./background.ts";

export const env: Env = realEnv;
export const API = "/api/v1";
export const PASSWORD = "quiet river stones";
const via = { requestId: "test-world", ip: null };
let hashed: Promise<string> | undefined;

export type Person = {
  id: string;
  email: string;
  username: string;
  role: Role;
  token: string;
  sessionId: string;
  refresh: string;
};
export type Patient = { id: string; number: number; canary: string };

export type RequestOptions = {
  as?: { token: string } | string | null;
  method?: string;
  json?: unknown;
  body?: BodyInit | null;
  headers?: Record<string, string>;
  env?: Env;
  ip?: string;
};

/** Files may run in one minute, in which the limits of an address add up. */
let addresses = Math.floor(Math.random() * 2 ** 24);
/** A new IPv4 address: rate limits count per address. */
export function newAddress(): string {
  addresses = (addresses + 1) % 2 ** 24;
  return `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses & 255}`;
}

/** One request through the Worker's entry, from a new IP address unless one is given. */
export async function sendRequest(path: string, options: RequestOptions = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  const token = typeof options.as === "string" ? options.as : options.as?.token;
  if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
  if (options.json !== undefined) headers.set("Content-Type", "application/json");
  if (!headers.has("CF-Connecting-IP")) headers.set("CF-Connecting-IP", options.ip ?? newAddress());
  const body = options.json === undefined ? options.body : JSON.stringify(options.json);
  const method = options.method ?? (body === undefined ? "GET" : "POST");
  const url = path.startsWith("http") ? path : `http://localhost${path}`;
  const request = new Request(url, { method, headers, ...(body !== undefined && { body }), redirect: "manual" });
  const ctx = createExecutionContext();
  const response = await app.fetch(request, options.env ?? env, ctx);
  // Waits for background work before the test continues; tests that count or fail calls look only at the response's own.
  const background = waitOnExecutionContext(ctx);
  if (options.env) leaveInBackground(background);
  else await background;
  return response;
}

/** A JSON body without a type: tests check the wire format, not our types. */
// biome-ignore lint/suspicious/noExplicitAny: the response is asserted field by field.
export async function readJson(response: Response): Promise<any> {
  return JSON.parse(await response.text());
}

export const uniqueText = (): string => Math.random().toString(36).slice(2, 10) + Date.now().toString(36);

async function systemCall() {
  return {
    db: getDb(env.DB),
    keys: await getKeys(env),
    actor: { kind: "system", name: "test", via } satisfies Actor,
    now: Date.now(),
    auditLog: createAuditLogs(env),
  };
}

/** Rate limit windows start with the minute: a count that the end of a minute interrupts is repeated. */
export async function withinOneMinute<T>(count: () => Promise<T>): Promise<T> {
  for (;;) {
    const minute = Math.floor(Date.now() / 60_000);
    const result = await count();
    if (Math.floor(Date.now() / 60_000) === minute) return result;
  }
}

export async function newHospital(doctorScope: UserEffectiveRole["doctorScope"] = "care_team"): Promise<string> {
  const { db, now } = await systemCall();
  const id = uuidv7();
  await db.insert(hospitals).values({ id, name: `Hospital ${uniqueText()}`, doctorScope, createdAt: now, updatedAt: now });
  return id;
}

/** An account with its session, created without a login (a hash takes a quarter of a second). */
export async function newPerson(
  role: Role,
  hospitalId: string | null = null,
  doctorScope: UserEffectiveRole["doctorScope"] = "care_team",
): Promise<Person> {
  const call = await systemCall();
  const { db, keys, now } = call;
  const id = uuidv7();
  const email = `${uniqueText()}@example.org`;
  const username = `u${uniqueText()}`.slice(0, 30);
  hashed ??= hashPassword(PASSWORD);
  await db.insert(users).values({
    id,
    emailIndex: await computeEmailIndex(keys, email),
    usernameIndex: await computeUsernameIndex(keys, username),
    profileSealed: await sealValue(
      keys.fields,
      { table: "users", column: "profile", id },
      { email, username, full_name: `Name ${uniqueText()}` },
    ),
    passwordHash: await hashed,
    passwordChangedAt: now,
    isAdmin: role === "admin" ? 1 : 0,
    createdAt: now,
    updatedAt: now,
  });
  if (hospitalId && (role === "nurse" || role === "doctor" || role === "hospital_admin")) {
    await db.insert(memberships).values({ userId: id, hospitalId, role, createdBy: "test", createdAt: now });
  }
  const effectiveRole: UserEffectiveRole = {
    role,
    hospitalId: role === "admin" || role === "patient" ? null : hospitalId,
    doctorScope,
  };
  return { id, email, username, role, ...(await newLogin(id, effectiveRole)) };
}

/** Another session of a person. */
export async function newLogin(
  userId: string,
  effectiveRole: UserEffectiveRole,
): Promise<{ token: string; sessionId: string; refresh: string }> {
  const call = await systemCall();
  const session = await prepareSession(call, userId, effectiveRole, { user_agent: "test", ip: null });
  await batch(call.db, session.statements);
  const token = await signAccessToken(
    env,
    call.keys.jwt,
    { userId, sessionId: session.id, claimedRole: effectiveRole },
    call.now,
  );
  return { token, sessionId: session.id, refresh: await refreshToken(call.keys, userId, session.id, 1) };
}

/** The call context of a request by this person. */
export async function createCall(person: Person, effectiveRole: UserEffectiveRole): Promise<UserCall> {
  const actor: UserActor = { kind: "user", userId: person.id, sessionId: person.sessionId, claimedRole: effectiveRole, via };
  return { ...(await systemCall()), actor };
}

/** A patient whose every text field contains a random word that no other patient has. */
export async function newPatient(hospitalId: string, by: Person, team: Person[] = []): Promise<Patient> {
  const canary = `canary${uniqueText()}`;
  const call = await createCall(by, { role: by.role, hospitalId, doctorScope: "care_team" });
  const { id, statements } = await patientStatements(
    call,
    {
      first_name: `First-${canary}`,
      last_name: `Last-${canary}`,
      gender: "female",
      date_of_birth: "1964-03-04",
      phone: `+91 7${String(Math.floor(Math.random() * 1e9)).padStart(9, "0")}`,
      email: `${canary}@example.org`,
      address: `Street ${canary}`,
      abha_number: null,
      medical_history: `History ${canary}`,
      notes: `Notes ${canary}`,
      symptoms: [`Symptom ${canary}`],
      assigned_doctor_id: null,
      ward_id: null,
      monitoring: "off",
    },
    hospitalId,
    "nurse",
  );
  await batch(call.db, statements);
  const now = Date.now();
  for (const { id: userId } of team) {
    await call.db.insert(careTeam).values({ patientId: id, userId, addedBy: by.id, startedAt: now });
  }
  const row = await env.DB.prepare("SELECT patient_number FROM patients WHERE id = ?").bind(id).first<number>("patient_number");
  return { id, number: row ?? 0, canary };
}

export async function link(person: Person, patient: Patient): Promise<void> {
  const { db, now } = await systemCall();
  await db
    .insert(patientLinks)
    .values({ userId: person.id, patientId: patient.id, method: "claim_code", verifiedBy: "test", createdAt: now });
}

/** A hospital with one person of each role; the doctor is in the care team of only the first patient. */
export async function newWorld(doctorScope: UserEffectiveRole["doctorScope"] = "care_team") {
  const hospitalId = await newHospital(doctorScope);
  const [nurse, doctor, manager, self, admin] = await Promise.all([
    newPerson("nurse", hospitalId, doctorScope),
    newPerson("doctor", hospitalId, doctorScope),
    newPerson("hospital_admin", hospitalId, doctorScope),
    newPerson("patient"),
    newPerson("admin"),
  ]);
  const patient = await newPatient(hospitalId, nurse, [doctor]);
  const stranger = await newPatient(hospitalId, nurse);
  await link(self, patient);
  return { hospitalId, nurse, doctor, manager, self, admin, patient, stranger };
}
export type World = Awaited<ReturnType<typeof newWorld>>;

/** A new ward. @returns its id */
export async function newWard(manager: Person, name = `Ward ${uniqueText()}`): Promise<string> {
  return (await readJson(await sendRequest(`${API}/wards`, { as: manager, json: { name } }))).data.ward_id;
}

/** A registered device assigned to a patient, with its token. */
export async function newDevice(
  nurse: Person,
  patientId: string | null,
  kind = "ecg",
): Promise<{ id: string; credentialId: string; token: string }> {
  const device = await readJson(
    await sendRequest(`${API}/devices`, { as: nurse, json: { kind, name: `Device ${uniqueText()}` } }),
  );
  const id: string = device.data.device_id;
  if (patientId) await sendRequest(`${API}/devices/${id}/assignments`, { as: nurse, json: { patient_id: patientId } });
  const credential = await readJson(await sendRequest(`${API}/devices/${id}/credentials`, { as: nurse, json: { name: "test" } }));
  return { id, credentialId: credential.data.credential_id, token: credential.data.token };
}

const encoder = new TextEncoder();

/** A small, well-formed PDF with a text of its own, of at least `size` bytes. */
export function newPdf(text: string = uniqueText(), size = 0): Uint8Array<ArrayBuffer> {
  const head = `%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n% ${text}\n`;
  const tail = "\ntrailer<</Root 1 0 R>>\n%%EOF\n";
  return new Uint8Array(encoder.encode(head + "x".repeat(Math.max(0, size - head.length - tail.length)) + tail));
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
}

export type UploadFields = Record<string, string | undefined> & { fileName?: string };

/** The multipart form of the existing mobile app. */
export function uploadForm(pdf: Uint8Array<ArrayBuffer>, { fileName = "ecg.pdf", ...fields }: UploadFields = {}): FormData {
  const form = new FormData();
  form.set("file", new File([pdf], fileName, { type: "application/pdf" }));
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, value);
  return form;
}

export async function uploadReport(
  as: { token: string },
  pdf: Uint8Array<ArrayBuffer>,
  fields: UploadFields = {},
  options: RequestOptions = {},
) {
  return sendRequest(`${API}/reports`, { as, body: uploadForm(pdf, fields), ...options });
}

/** The raw form: the PDF itself as a stream. */
export async function uploadRaw(as: { token: string }, pdf: Uint8Array<ArrayBuffer>, query = "", options: RequestOptions = {}) {
  const headers = {
    "Content-Type": "application/pdf",
    "Content-Length": String(pdf.length),
    "X-Content-SHA256": await sha256(pdf),
    ...options.headers,
  };
  return sendRequest(`${API}/reports${query}`, { as, body: pdf, method: "POST", ...options, headers });
}

/** An event of the audit log, as the columns of a table: `detail` is JSON text. */
export type AuditRow = {
  id: string;
  /** Position among the events that were read, by id. */
  seq: number;
  recorded_at: number;
  action: string;
  event: string;
  outcome: string;
  reason: string | null;
  actor_kind: string;
  actor_id: string | null;
  actor_role: string | null;
  hospital_id: string | null;
  actor_hospital_id: string | null;
  basis: string | null;
  purpose: string | null;
  entity_type: string | null;
  entity_id: string | null;
  request_id: string;
  ip: string | null;
  detail: string | null;
  subjects: string[];
};

/** Events of a request id, oldest first, each once: those that wait in D1 and those in the logs. */
export const readAuditEvents = (requestId: string): Promise<AuditRow[]> => selectEvents(requestId);

/** All events that are in no segment, oldest first. @param logIds logs beside those of the hospitals in D1 */
export const listLoggedEvents = (logIds: readonly string[] = []): Promise<AuditRow[]> => selectEvents(null, logIds);

/** All events, oldest first, with those in segments: a log with thousands of events closes them. */
export const listAllEvents = (): Promise<AuditRow[]> => selectEvents(null, [], true);

/** The events with these columns, oldest first. */
export async function findEvents(columns: Partial<AuditRow>): Promise<AuditRow[]> {
  return (await listLoggedEvents()).filter((row) =>
    Object.entries(columns).every(([name, value]) => Reflect.get(row, name) === value),
  );
}

async function selectEvents(requestId: string | null, logIds: readonly string[] = [], withClosed = false): Promise<AuditRow[]> {
  const staged = await env.DB.prepare(
    "SELECT id, event, subjects FROM audit_staged WHERE ?1 IS NULL OR event->>'request_id' = ?1",
  )
    .bind(requestId)
    .all<{ id: string; event: string; subjects: string }>();
  const events = staged.results.map(
    ({ id, event, subjects }): AuditLogEvent => ({ ...JSON.parse(event), id, subjects: JSON.parse(subjects) }),
  );
  for (const stub of await listAuditLogs(logIds)) {
    const found = await runInDurableObject(stub, (_, { storage: { sql } }) => {
      if (sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'entries'").toArray().length === 0) return [];
      const query = "SELECT event FROM entries WHERE ?1 IS NULL OR event->>'request_id' = ?1";
      return sql.exec<{ event: string }>(query, requestId).toArray();
    });
    events.push(...found.map(({ event }): AuditLogEvent => JSON.parse(event)));
    if (withClosed) events.push(...(await readClosedEvents(stub)));
  }
  const byId = new Map(events.map((event) => [event.id, event]));
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1)).map(toAuditRow);
}

/** The events of a log that are in its segments. */
async function readClosedEvents(log: DurableObjectStub<AuditLog>): Promise<AuditLogEvent[]> {
  const { audit } = await getKeys(env);
  const events: AuditLogEvent[] = [];
  for (const segment of await log.listSegments(0, MAX_LISTED_SEGMENTS))
    for await (const entries of readSegment(env.FILES, audit, segment, null)) events.push(...entries);
  return events;
}

/** The logs that exist, by their names: an object that is woken without its name cannot do its work. */
async function listAuditLogs(logIds: readonly string[]) {
  const existing = new Set((await listDurableObjectIds(env.AUDIT_LOG)).map(String));
  const { results } = await env.DB.prepare("SELECT id FROM hospitals").all<{ id: string }>();
  const names = [NO_HOSPITAL_LOG, ...results.map(({ id }) => id), ...logIds];
  return names
    .filter((name) => existing.has(String(env.AUDIT_LOG.idFromName(name))))
    .map((name) => env.AUDIT_LOG.getByName(name));
}

const toAuditRow = (event: AuditLogEvent, seq: number): AuditRow => ({
  id: event.id,
  seq,
  recorded_at: event.recorded,
  action: event.action,
  event: event.event,
  outcome: event.outcome,
  reason: event.reason,
  actor_kind: event.actor.kind,
  actor_id: event.actor.id,
  actor_role: event.actor.role,
  hospital_id: event.hospital_id,
  actor_hospital_id: event.actor_hospital_id,
  basis: event.basis,
  purpose: event.purpose,
  entity_type: event.entity?.type ?? null,
  entity_id: event.entity?.id ?? null,
  request_id: event.request_id,
  ip: event.ip,
  detail: event.detail ? JSON.stringify(event.detail) : null,
  subjects: event.subjects,
});
