// Exports of a whole record: what they contain, who gets them, and what becomes of them.
import { describe, expect, it } from "vitest";
import { SECTIONS } from "../../src/service/record-exports/collect-record.ts";
import { runRecordExportJobs } from "../../src/service/record-exports/jobs.ts";
import { FILE_KEPT_MS, LEASE_MS, MAX_ATTEMPTS } from "../../src/service/record-exports/record-export.ts";
import { runExport } from "../../src/service/record-exports/run-export.ts";
import { newDocument, newText } from "../document-files.ts";
import {
  API,
  env,
  findEvents,
  newPdf,
  newWorld,
  type Person,
  readJson,
  sendRequest,
  sha256,
  uploadReport,
  type World,
} from "../world.ts";

type Format = "json" | "pdf" | "zip";
const path = (world: World) => `${API}/patients/${world.patient.id}/export`;

async function request(world: World, format: Format, as: Person = world.doctor) {
  const response = await sendRequest(path(world), { as, json: { format } });
  expect(response.status).toBe(202);
  return String((await readJson(response)).data.export_id);
}

const status = async (world: World, id: string, as: Person = world.doctor) =>
  readJson(await sendRequest(`${path(world)}/${id}`, { as }));
const download = (world: World, id: string, as: Person = world.doctor) => sendRequest(`${path(world)}/${id}/file`, { as });

/** A record with rows in several tables. */
async function newRecord() {
  const world = await newWorld();
  const about = { patient_id: world.patient.id, metrics: '{"heart_rate":71}' };
  for (let i = 0; i < 3; i++) await uploadReport(world.nurse, newPdf(`report ${i}`), about);
  await newDocument(world.nurse, world.patient.id, newText("a letter"));
  await sendRequest(`${API}/patients/${world.patient.id}/intake`, {
    as: world.nurse,
    json: { symptoms: ["cough"], answers: { smoker: "no" } },
  });
  await sendRequest(`${API}/observations`, {
    as: world.nurse,
    json: {
      patient_id: world.patient.id,
      samples: [{ code: "8867-4", value: 72, unit: "/min", effective_at: new Date().toISOString() }],
    },
  });
  return world;
}

/** Entries of a ZIP of stored files. */
function entriesOf(zip: Uint8Array<ArrayBuffer>): Map<string, Uint8Array<ArrayBuffer>> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const entries = new Map<string, Uint8Array<ArrayBuffer>>();
  let at = view.getUint32(zip.length - 22 + 16, true);
  for (let left = view.getUint16(zip.length - 22 + 10, true); left > 0; left--) {
    const [nameLength, extra, comment] = [28, 30, 32].map((add) => view.getUint16(at + add, true));
    const local = view.getUint32(at + 42, true);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const name = new TextDecoder().decode(zip.subarray(at + 46, at + 46 + (nameLength ?? 0)));
    entries.set(name, zip.subarray(start, start + view.getUint32(at + 24, true)));
    at += 46 + (nameLength ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return entries;
}

describe("an export of a record", () => {
  it("as JSON has every row of every table, values opened, and nothing of other patients", async () => {
    const world = await newRecord();
    await uploadReport(world.nurse, newPdf("elsewhere"), { patient_id: world.stranger.id });
    const id = await request(world, "json");
    const response = await download(world, id);
    expect(response.status).toBe(200);
    const record = await readJson(response);
    for (const [name, { table }] of Object.entries(SECTIONS)) {
      const rows = record[name] ?? [];
      expect({ name, n: rows.length }).toEqual({ name, n: await countRows(name, world.patient.id) });
      expect(table).toBeTruthy();
    }
    expect(record.reports).toHaveLength(3);
    expect(record.reports[0].metrics).toEqual({ heart_rate: 71 });
    expect(record.documents[0].title).toBeTruthy();
    expect(record.intake_responses[0].answers).toMatchObject({ symptoms: ["cough"], answers: { smoker: "no" } });
    expect(record.hourly_values.rows[0].slice(1)).toEqual(["8867-4", 1, 72, 72, 72]);
    expect(record.unreadable).toBe(0);
    expect(JSON.stringify(record)).toContain(world.patient.canary);
    expect(JSON.stringify(record)).not.toContain(world.stranger.canary);
    expect(JSON.stringify(record)).not.toMatch(/_sealed|file_key/);
  });

  it("as PDF is a document", async () => {
    const world = await newRecord();
    const response = await download(world, await request(world, "pdf"));
    expect(response.headers.get("Content-Type")).toBe("application/pdf");
    expect(new TextDecoder("latin1").decode((await response.bytes()).subarray(0, 5))).toBe("%PDF-");
  });

  it("as ZIP has JSON, PDF and all files, as the manifest lists them", async () => {
    const world = await newRecord();
    const id = await request(world, "zip");
    const { data } = await status(world, id);
    const zip = new Uint8Array(await (await download(world, id)).arrayBuffer());
    expect(await sha256(zip)).toBe(data.sha256);
    expect(zip.length).toBe(data.size);
    const entries = entriesOf(zip);
    const manifest = JSON.parse(new TextDecoder().decode(entries.get("manifest.json")));
    expect(manifest.files).toHaveLength(6);
    expect([...entries.keys()].filter((name) => name.startsWith("reports/"))).toHaveLength(3);
    expect([...entries.keys()].filter((name) => name.startsWith("documents/"))).toHaveLength(1);
    for (const file of manifest.files) expect(await sha256(entries.get(file.name) ?? new Uint8Array())).toBe(file.sha256);
  });

  it("is told, audited, and linked to for five minutes", async () => {
    const world = await newRecord();
    const id = await request(world, "json");
    const { data } = await status(world, id);
    expect(data).toMatchObject({ state: "ready", progress: 100, reason: null });
    const linked = await sendRequest(new URL(data.download_url).pathname + new URL(data.download_url).search, { as: null });
    expect(linked.status).toBe(200);
    const notices = await env.DB.prepare(
      "SELECT user_id FROM notifications WHERE kind = 'export.ready' AND refs->>'export_id' = ?",
    )
      .bind(id)
      .all();
    expect(notices.results).toEqual([{ user_id: world.doctor.id }]);
    const events = await findEvents({ entity_type: "record_export", entity_id: id });
    const names = new Set(events.map(({ event }) => event));
    for (const name of ["request", "complete", "read", "download"]) expect(names).toContain(`record_export.${name}`);
  });

  it("is its requester's alone", async () => {
    const world = await newRecord();
    const id = await request(world, "json");
    const statuses = await Promise.all([world.manager, world.nurse, world.admin].map((as) => download(world, id, as)));
    expect(statuses.map(({ status }) => status)).toEqual([404, 403, 403]);
    const { data } = await readJson(await sendRequest(path(world), { as: world.manager }));
    expect(data).toEqual([]);
  });

  it("is not given to who has lost access since", async () => {
    const world = await newRecord();
    const id = await request(world, "json");
    await env.DB.prepare("UPDATE care_team SET ended_at = ? WHERE patient_id = ?").bind(Date.now(), world.patient.id).run();
    expect((await download(world, id)).status).toBe(404);
  });

  it("ends after seven days, with its file", async () => {
    const world = await newRecord();
    const id = await request(world, "json");
    const key = await fileKey(id);
    expect(await env.FILES.head(key)).not.toBeNull();
    await env.DB.prepare("UPDATE record_exports SET expires_at = ? WHERE id = ?")
      .bind(Date.now() - 1, id)
      .run();
    expect((await download(world, id)).status).toBe(410);
    await runRecordExportJobs(env, Date.now());
    expect(await env.FILES.head(key)).toBeNull();
    expect((await status(world, id)).data).toMatchObject({ state: "expired", download_url: null });
    expect(FILE_KEPT_MS).toBe(604_800_000);
  });

  it("is begun once per key", async () => {
    const world = await newRecord();
    const send = () =>
      sendRequest(path(world), { as: world.doctor, json: { format: "json" }, headers: { "Idempotency-Key": "export-once" } });
    const ids = [await readJson(await send()), await readJson(await send())].map(({ data }) => data.export_id);
    expect(ids[0]).toBe(ids[1]);
    expect(await countRows("record_exports", world.patient.id)).toBe(1);
  });
});

describe("the job of exports", () => {
  async function queued(world: World, changes = "") {
    const id = crypto.randomUUID();
    // biome-ignore lint/plugin: a constant with bound values.
    await env.DB.prepare(
      `INSERT INTO record_exports (id, patient_id, hospital_id, requested_by, format, language, state, created_at, updated_at)
       SELECT ?1, id, hospital_id, ?3, 'json', 'en', 'queued', ?4, ?4 FROM patients WHERE id = ?2`,
    )
      .bind(id, world.patient.id, world.doctor.id, Date.now())
      .run();
    // biome-ignore lint/plugin: a constant of this file.
    if (changes) await env.DB.prepare(`UPDATE record_exports SET ${changes} WHERE id = ?`).bind(id).run();
    return id;
  }

  it("makes each once, though ten runs begin at once", async () => {
    const world = await newRecord();
    const id = await queued(world);
    const runs = await Promise.all(Array.from({ length: 10 }, () => runExport(env, id, Date.now())));
    expect(runs.filter(Boolean)).toHaveLength(1);
    expect((await status(world, id)).data).toMatchObject({ state: "ready" });
  });

  it("begins a run anew whose lease has ended, and leaves one that goes on", async () => {
    const world = await newRecord();
    const [cut, going] = [
      await queued(world, "state = 'running', attempts = 1, lease_until = 1"),
      await queued(world, `state = 'running', attempts = 1, lease_until = ${Date.now() + LEASE_MS}`),
    ];
    await runRecordExportJobs(env, Date.now());
    expect((await status(world, cut)).data.state).toBe("ready");
    expect((await status(world, going)).data.state).toBe("running");
  });

  it("fails after three attempts, and tells it", async () => {
    const world = await newRecord();
    const id = await queued(world);
    const broken = { ...env, FILES: { get: () => Promise.reject(new Error("R2 is down")) } } as unknown as Env;
    for (let i = 0; i < MAX_ATTEMPTS; i++) await runExport(broken, id, Date.now());
    expect((await status(world, id)).data).toMatchObject({ state: "failed", reason: "unavailable" });
    const notice = await env.DB.prepare(
      "SELECT count(*) AS n FROM notifications WHERE kind = 'export.failed' AND refs->>'export_id' = ?",
    )
      .bind(id)
      .first("n");
    expect(notice).toBe(1);
  });

  it("stores no file for a row that another run has completed", async () => {
    const world = await newRecord();
    const id = await queued(world);
    const slow = runExport(env, id, Date.now() - LEASE_MS - 1);
    await env.DB.prepare("UPDATE record_exports SET version = version + 1, state = 'queued', lease_until = NULL WHERE id = ?")
      .bind(id)
      .run();
    await slow;
    await runExport(env, id, Date.now());
    const row = await env.DB.prepare("SELECT state, attempts FROM record_exports WHERE id = ?").bind(id).first();
    expect(row).toMatchObject({ state: "ready" });
  });
});

const fileKey = async (id: string) =>
  String(await env.DB.prepare("SELECT file_key FROM record_exports WHERE id = ?").bind(id).first("file_key"));

async function countRows(name: string, patientId: string): Promise<number> {
  const where =
    name === "report_versions"
      ? "report_id IN (SELECT id FROM reports WHERE patient_id = ?)"
      : name === "encounter_notes"
        ? "encounter_id IN (SELECT id FROM encounters WHERE patient_id = ?)"
        : "patient_id = ?";
  // biome-ignore lint/plugin: names of this file.
  return Number(await env.DB.prepare(`SELECT count(*) AS n FROM ${name} WHERE ${where}`).bind(patientId).first("n"));
}
