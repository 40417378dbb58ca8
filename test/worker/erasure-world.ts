// A patient with data in every store, requests for their erasure, and scans of the raw state.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import type { ErasedTable } from "../../src/erasure/run/erased-tables.ts";
import { MAX_DELAY_MS } from "../../src/erasure/run/failures.ts";
import { runErasures } from "../../src/erasure/run/run-erasures.ts";
import { isAadhaar } from "../../src/patients/identity/aadhaar.ts";
import { hasValidCheckDigit } from "../../src/patients/identity/verhoeff.ts";
import { renewSignIn } from "../authz.factors.ts";
import { newDocument, newPng, uploadVersion } from "../document-files.ts";
import {
  API,
  env,
  newDevice,
  newPdf,
  newPerson,
  type Person,
  readJson,
  sendRequest,
  uniqueText,
  uploadReport,
  type World,
} from "../world.ts";
import { createSample } from "./monitored-patient.ts";
import { newWebhook } from "./webhook-world.ts";

const YEAR_MS = 366 * 86_400_000;
/** After every retention period. */
export const LATER = Date.now() + 130 * YEAR_MS;
export const REASON = { reason: "The person asked for it." };

export const post = (path: string, as: Person, json?: unknown) =>
  sendRequest(`${API}${path}`, { as, method: "POST", ...(json !== undefined && { json }) });

/** A valid government number that no other test uses. */
export function newNumber(): string {
  for (;;) {
    const digits = String(2 + Math.floor(Math.random() * 8)) + String(Math.floor(Math.random() * 1e10)).padStart(10, "0");
    const check = [..."0123456789"].find((digit) => hasValidCheckDigit(digits + digit));
    if (check && isAadhaar(digits + check)) return digits + check;
  }
}

async function created(response: Response, name: string): Promise<string> {
  const body = await readJson(response);
  if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(body)}`);
  return body.data[name];
}

/** Of the first patient. */
export const ABHA_NUMBER = "91-7000-0000-0001";

/** Fills all stores with data of the world's first patient, whose login is `self`. */
export async function fillStores({ nurse, doctor, manager, self, patient, stranger }: World): Promise<void> {
  const { id } = patient;
  await newWebhook(manager, { include_data: true });
  const change = { monitoring: "home", phone: "+91 7000000001", aadhaar_number: newNumber(), abha_number: ABHA_NUMBER };
  const patch = { as: nurse, method: "PATCH", json: change, headers: { "If-Match": '"1"' } };
  await created(await sendRequest(`${API}/patients/${id}`, patch), "patient_id");
  await created(
    await uploadReport(nurse, newPdf(), { patient_id: id }, { headers: { "Idempotency-Key": uniqueText() } }),
    "report_id",
  );
  const moved = await created(await uploadReport(nurse, newPdf(), { patient_id: id }), "report_id");
  const move = { as: nurse, json: { patient_id: stranger.id, reason: "Of another patient" }, headers: { "If-Match": "*" } };
  await sendRequest(`${API}/reports/${moved}/move`, { ...move, method: "POST" });
  const document = await newDocument(doctor, id);
  await created(await uploadVersion(doctor, document, newPng(), "*"), "document_id");
  const device = await newDevice(nurse, id);
  await created(await uploadReport(device, newPdf(), {}), "report_id");
  // A time ahead: the file goes to quarantine, without a patient.
  await created(await uploadReport(device, newPdf(), { recorded_at: "2099-01-01T00:00:00Z" }), "upload_id");
  for (const as of [device, self])
    await sendRequest(`${API}/observations`, { as, json: { ...createSample(0), ...(as === self && { patient_id: id }) } });
  const own = await sendRequest(`${API}/devices`, { as: self, json: { kind: "wearable", name: "Watch", patient_id: id } });
  const ownId = await created(own, "device_id");
  await sendRequest(`${API}/devices/${ownId}/credentials`, { as: self, json: { name: "phone" } });
  await post(`/patients/${id}/claim-codes`, nurse);
  await addIntakes(id, nurse, self);
  await post(`/patients/${id}/hold`, manager, { reason: "A court asked for the record." });
  await post(`/patients/${id}/hold/release`, manager, { reason: "The case is closed." });
  await runDurableObjectAlarm(env.PATIENT_MONITOR.getByName(id));
  await addPackedMonth(id);
  await addArchive(id);
}

/** Links of the record to an intake form, one used and one still open, and answers by the person. */
async function addIntakes(id: string, nurse: Person, self: Person): Promise<void> {
  const [fields, answers] = [["chief_complaint"], { chief_complaint: "Cough" }];
  const form = { patient_id: id, fields, questions: [{ key: "since", label: "Since when?" }] };
  const token = await created(await post("/intake-links", nurse, form), "token");
  const json = { token, answers };
  await created(await sendRequest(`${API}/intake/submit`, { method: "POST", json }), "received_at");
  await created(await post("/intake-links", nurse, form), "intake_link_id");
  await created(await post("/intake-submissions", self, { answers }), "submission_id");
}

/** A month of packed hours and an hour of D1, as the jobs leave them. */
async function addPackedMonth(id: string): Promise<void> {
  await env.FILES.put("f1/hours/packed-month", new Uint8Array(64));
  const month = (new Date().getUTCFullYear() - 1970) * 12 + new Date().getUTCMonth();
  await env.DB.batch([
    env.DB.prepare(`INSERT INTO vital_months (hospital_id, month, patient_id, file_key, stale_at)
      SELECT hospital_id, CAST(? AS INTEGER), id, 'f1/hours/packed-month', 0 FROM patients WHERE id = ?`).bind(month, id),
    env.DB.prepare(`INSERT INTO vital_hours (hospital_id, hour, patient_id, stats, version)
      SELECT hospital_id, CAST(? AS INTEGER), id, '{}', 1 FROM patients WHERE id = ?`).bind(
      Math.floor(Date.now() / 3_600_000) - 3,
      id,
    ),
  ]);
}

/** A file of old samples, named in the patient's object. */
async function addArchive(id: string): Promise<void> {
  await env.FILES.put("f1/vitals/old-samples", new Uint8Array(64));
  await runInDurableObject(env.PATIENT_MONITOR.getByName(id), (_, { storage }) =>
    storage.sql.exec("INSERT INTO archives (from_at, to_at, file, size) VALUES (0, 1, 'f1/vitals/old-samples', 64)").toArray(),
  );
}

/** Requests an erasure by the person, and approves it by the manager. @returns its id */
export async function approved({ manager, self, patient }: Pick<World, "manager" | "self" | "patient">): Promise<string> {
  const id = await created(await post(`/patients/${patient.id}/erasure`, self, REASON), "erasure_id");
  await renewSignIn(manager.sessionId);
  await created(await post(`/erasures/${id}/approve`, manager), "erasure_id");
  return id;
}

/** Runs the job until an erasure has ended, so far apart that each run tries again what failed. */
export async function eraseAll(id: string, tables?: readonly ErasedTable[], of: Env = env): Promise<void> {
  for (let run = 0; run < 20; run++) {
    await runErasures(of, LATER + run * MAX_DELAY_MS, tables);
    const { state } = (await env.DB.prepare("SELECT state FROM erasures WHERE id = ?").bind(id).first<{ state: string }>()) ?? {};
    if (state === "erased") return;
  }
  throw new Error("the erasure does not end");
}

export const secondManager = async (hospitalId: string): Promise<Person> => {
  const person = await newPerson("hospital_admin", hospitalId);
  await renewSignIn(person.sessionId);
  return person;
};

/** Tables that keep ids: the audit log and the erasures. `d1_migrations` and `deployment` have none. */
const KEPT = ["audit_staged", "audit_events", "audit_subjects", "erasures", "d1_migrations", "deployment"];

export async function tableNames(): Promise<string[]> {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'",
  ).all<{
    name: string;
  }>();
  return results.map(({ name }) => name).sort();
}

/** The rows of all D1 tables that contain one of the texts, by table. */
export async function scanD1(texts: readonly string[], kept: readonly string[] = KEPT): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const table of (await tableNames()).filter((name) => !kept.includes(name))) {
    // biome-ignore lint/plugin: names of tables from sqlite_master.
    const { results } = await env.DB.prepare(`SELECT * FROM "${table}"`).all();
    const rows = results.map((row) => JSON.stringify(row)).filter((row) => texts.some((text) => row.includes(text)));
    if (rows.length > 0) found.set(table, rows);
  }
  return found;
}

/** The ids of the patient, of the login and of what belongs to them. */
export async function idsOf(patientId: string, userId: string): Promise<string[]> {
  const ofIntake = ["intake_responses", "intake_links", "intake_submissions"];
  const tables = ["reports", "documents", "alerts", ...ofIntake, "uploads", "patient_holds"];
  const queries = [
    ...tables.map((table) => `SELECT id FROM ${table} WHERE patient_id = ?`),
    "SELECT id FROM devices WHERE owner_patient_id = ?",
    `SELECT u.id FROM uploads u JOIN credentials c ON c.id = u.actor_id JOIN device_assignments a ON a.device_id = c.device_id
      WHERE u.patient_id IS NULL AND u.report_id IS NULL AND a.patient_id = ?`,
  ];
  // biome-ignore lint/plugin: made of the names above.
  const found = await env.DB.batch<{ id: string }>(queries.map((query) => env.DB.prepare(query).bind(patientId)));
  return [patientId, userId, ...found.flatMap(({ results }) => results.map(({ id }) => id))];
}

/** Every sealed value and keyed index in rows that contain one of the ids; the change of a moved report belongs to the other record. */
export async function sealedValuesOf(ids: readonly string[]): Promise<string[]> {
  const rows = [...(await scanD1(ids, ["audit_staged", "report_changes"])).values()].flat();
  return rows.flatMap((row) =>
    Object.entries(JSON.parse(row) as Record<string, unknown>).flatMap(([name, value]) =>
      /_(sealed|index|token_hash|code_hash)$/.test(name) && typeof value === "string" && value.length > 8 ? [value] : [],
    ),
  );
}

export async function listFiles(): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await env.FILES.list(cursor ? { cursor } : {});
    keys.push(...page.objects.map(({ key }) => key).filter((key) => !/^(audit|tlog)\//.test(key)));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  return keys.sort();
}

export async function listHints(patientId: string): Promise<string[]> {
  const { keys } = await env.KV.list();
  const values = await Promise.all(keys.map(({ name }) => env.KV.get(name)));
  return keys.map(({ name }) => name).filter((_, i) => values[i] === patientId);
}

/** Rows of the tables of the patient's object, without the record of migrations. */
export const countObjectRows = (patientId: string): Promise<number> =>
  runInDurableObject(env.PATIENT_MONITOR.getByName(patientId), (_, { storage: { sql } }) =>
    sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB '__mini*'",
      )
      .toArray()
      .filter(({ name }) => name !== "object_migrations")
      .reduce((sum, { name }) => {
        const query = `SELECT count(*) AS n FROM "${name}"`;
        return sum + Number(sql.exec(query).one()["n"]);
      }, 0),
  );
