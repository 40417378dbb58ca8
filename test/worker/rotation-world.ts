// Steps of tests that rotate FIELD_KEYS: an Env of each stage, one record of every kind, and what is stored under which key.
import { runInDurableObject } from "cloudflare:test";
import { expect } from "vitest";
import { encodeBatches } from "../../src/monitoring/patient-object/samples/blocks.ts";
import { DAY_MS } from "../../src/platform/time.ts";
import { sealAgain } from "../../src/service/keys/seal-again.ts";
import { newDocument, newText } from "../document-files.ts";
import { enrolTotp } from "../factor-steps.ts";
import { API, env, newDevice, newPdf, newWorld, type Person, readJson, sendRequest, uploadReport, type World } from "../world.ts";
import { createMonitoredPatient } from "./monitored-patient.ts";

export const NEW_KEY = `f2:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;

/** An Env with this ring, also for the objects of patients that are called through it. */
export function withFieldKeys(ring: string, stores: Env = env): Env {
  const bindings = { ...stores, FIELD_KEYS: ring };
  const withRing = (id: string, stub: DurableObjectStub) =>
    new Proxy(stub, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return async (...args: unknown[]) => {
          await runInDurableObject(env.PATIENT_MONITOR.getByName(id), (object) =>
            Reflect.set(object, "env", { ...env, FIELD_KEYS: ring }),
          );
          return Reflect.apply(method, target, args);
        };
      },
    });
  const PATIENT_MONITOR = new Proxy(stores.PATIENT_MONITOR, {
    get: (target, name) =>
      name === "getByName" ? (id: string) => withRing(id, target.getByName(id)) : Reflect.get(target, name),
  });
  return { ...bindings, PATIENT_MONITOR };
}

/** The stages of `edgecare keys rotate FIELD_KEYS`. */
export const added = withFieldKeys(`${env.FIELD_KEYS},${NEW_KEY}`);
export const signing = withFieldKeys(`${NEW_KEY},${env.FIELD_KEYS}`);
export const dropped = withFieldKeys(NEW_KEY);

export type Rotated = World & {
  admin: Person;
  reportId: string;
  pdf: Uint8Array<ArrayBuffer>;
  documentId: string;
  text: Uint8Array<ArrayBuffer>;
  uploadId: string;
  observationId: string;
  monitoredId: string;
  totpSecret: string;
};

/** One record of each kind that is sealed for itself: rows, files, an object's correction and a second factor. */
export async function newRecords(): Promise<Rotated> {
  const world = await newWorld();
  const { nurse, doctor, patient } = world;
  const [pdf, text] = [newPdf("report of the rotation", 150_000), newText()];
  const metrics = JSON.stringify({ heart_rate: 71 });
  const report = await readJson(await uploadReport(nurse, pdf, { patient_id: patient.id, metrics, fileName: "rotated.pdf" }));
  const documentId = await newDocument(nurse, patient.id, text);
  const device = await newDevice(nurse, null);
  const upload = await uploadReport(device, newPdf());
  expect(upload.status).toBe(202);
  const monitored = await createMonitoredPatient(world);
  const amended = await sendRequest(`${API}/observations/${monitored.observationId}`, {
    as: doctor,
    method: "PATCH",
    json: { status: "amended", value: 72, reason: "Read off wrongly" },
  });
  expect(amended.status, await amended.clone().text()).toBe(200);
  const comment = { text: "Called the ward" };
  expect((await sendRequest(`${API}/alerts/${monitored.alertId}/comment`, { as: nurse, json: comment })).status).toBeLessThan(
    300,
  );
  await archiveOldSamples(monitored.id);
  const { secret } = await enrolTotp(doctor);
  return {
    ...world,
    reportId: report.data.report_id,
    pdf,
    documentId,
    text,
    uploadId: (await readJson(upload)).data.upload_id,
    observationId: monitored.observationId,
    monitoredId: monitored.id,
    totpSecret: secret,
  };
}

/** The heart rate of the archived sample. */
export const ARCHIVED_VALUE = 61;
export const archivedAt = (): number => Math.floor(Date.now() / DAY_MS - 60) * DAY_MS;

/** A block of 60 days ago, which the object moves to R2. */
async function archiveOldSamples(patientId: string): Promise<void> {
  const at = archivedAt();
  const sample = { code: "8867-4", value: ARCHIVED_VALUE, unit: "/min", at, seq: null, status: "final" } as const;
  const block = encodeBatches([{ received: at, device: null, samples: [sample] }]);
  await runInDurableObject(env.PATIENT_MONITOR.getByName(patientId), async (object, { storage: { sql } }) => {
    sql.exec("INSERT INTO blocks (id, from_at, to_at, data) VALUES (?, ?, ?, ?)", at, at, at, block);
    await object.alarm();
    expect(sql.exec("SELECT * FROM archives").toArray()).toHaveLength(1);
  });
}

export const readKeyStatus = async (admin: Person, of: Env) =>
  (await readJson(await sendRequest(`${API}/admin/keys`, { as: admin, env: of }))).data;

const isSentinelDone = async (of: Env) =>
  (await env.DB.prepare("SELECT 1 FROM resealing WHERE store = 'deployment' AND phase = 'done' AND key_id = ?")
    .bind(of.FIELD_KEYS.split(":")[0])
    .first()) !== null;

/** Runs the job as cron does, ten minutes apart, until it has nothing to do for more than an hour. */
export async function runUntilFree(of: Env, from: number, maxSteps?: number): Promise<number> {
  let [now, idleRuns] = [from, 0];
  for (let runs = 0; runs < 200; runs++, now += 10 * 60_000) {
    idleRuns = (await sealAgain(of, now, maxSteps)) === 0 ? idleRuns + 1 : 0;
    if (idleRuns > 7 && (await isSentinelDone(of))) return now;
  }
  const { results } = await env.DB.prepare("SELECT * FROM resealing WHERE phase <> 'done' OR unreadable > 0").all();
  throw new Error(`the job does not end: ${JSON.stringify(results)}`);
}

const tableNames = async () =>
  (
    await env.DB.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_cf%' AND name NOT LIKE 'd1_%'",
    ).all<{ name: string }>()
  ).results.map(({ name }) => name);

/** Tables with a value that is sealed under a key, wherever in a row it is. */
export async function tablesWithValuesOf(keyId: string): Promise<string[]> {
  const found: string[] = [];
  for (const table of await tableNames()) {
    // biome-ignore lint/plugin: a name of the schema.
    const { results } = await env.DB.prepare(`SELECT * FROM "${table}"`).all();
    if (JSON.stringify(results).includes(`s1.${keyId}.`)) found.push(table);
  }
  return found;
}

export async function filesOf(keyId: string): Promise<string[]> {
  return (await env.FILES.list({ prefix: `${keyId}/` })).objects.map(({ key }) => key);
}

/** Everything that an object stores, as text. */
export const objectText = (patientId: string): Promise<string> =>
  runInDurableObject(env.PATIENT_MONITOR.getByName(patientId), (_, { storage: { sql } }) =>
    JSON.stringify(
      ["corrections", "archives", "settings"].map((table) =>
        // biome-ignore lint/plugin: names of this line.
        sql.exec(`SELECT * FROM ${table}`).toArray(),
      ),
    ),
  );
