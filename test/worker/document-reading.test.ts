// Reading of documents: lists with filters, links that are checked at each use, ranges, what is at rest, and the sweep.
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { LINK_LIFETIME_MS } from "../../src/access/file-links.ts";
import { runCleanup } from "../../src/cron.ts";
import { markInError, newDocument, newDocx, newText, toBytes, uploadDocument, uploadVersion } from "../document-files.ts";
import { withCounters, withStoreFault } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newPatient,
  newPdf,
  newWorld,
  type Patient,
  type Person,
  readAuditEvents,
  readJson,
  sendRequest,
  sha256,
  uniqueText,
  uploadReport,
  type World,
} from "../world.ts";
import { listStoredKeys } from "./storage-evidence.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterEach(() => vi.useRealTimers());

const list = async (as: Person, query: string) => {
  const response = await sendRequest(`${API}/documents?${query}`, { as });
  expect(response.status, query).toBe(200);
  return readJson(response);
};
const idsOf = async (as: Person, query: string): Promise<string[]> =>
  (await list(as, query)).data.map(({ document_id }: { document_id: string }) => document_id);

describe("a list", () => {
  let patient: Patient;
  const ids: Record<string, string> = {};
  beforeAll(async () => {
    patient = await newPatient(world.hospitalId, world.nurse, [world.doctor]);
    const about = { patient_id: patient.id };
    const add = async (name: string, bytes: Uint8Array<ArrayBuffer>, fields: Record<string, string>) => {
      const { data } = await readJson(await uploadDocument(world.nurse, bytes, { ...about, ...fields }));
      ids[name] = data.document_id;
    };
    await add("letter", newText(), { type: "18842-5", date: "2026-01-10T00:00:00Z" });
    await add("word", newDocx(), { type: "11488-4", date: "2026-02-10T00:00:00Z" });
    await add("wrong", newText(), { type: "18842-5", date: "2026-03-10T00:00:00Z" });
    await add("first", newText(), { type: "57833-6", date: "2026-04-10T00:00:00Z" });
    await markInError(world.nurse, ids["wrong"] ?? "");
    const next = await uploadVersion(world.nurse, ids["first"] ?? "", newText(), "*");
    ids["second"] = (await readJson(next)).data.document_id;
  });
  const named = (...names: string[]) => names.map((name) => ids[name]);

  it.each<[string, string[]]>([
    ["", ["second", "word", "letter"]],
    ["type=18842-5", ["letter"]],
    ["content_type=text/plain", ["second", "letter"]],
    ["date_from=2026-02-10T00:00:00Z", ["second", "word"]],
    ["date_to=2026-02-10T00:00:00Z", ["letter"]],
    ["date_from=2026-01-11T00:00:00Z&date_to=2026-04-01T00:00:00Z&type=11488-4", ["word"]],
    ["status=superseded", ["first"]],
    ["status=entered-in-error", ["wrong"]],
    ["type=11526-1", []],
  ])("of a patient with %s", async (filter, names) => {
    for (const as of [world.nurse, world.doctor, world.admin]) {
      expect(await idsOf(as, `patient_id=${patient.id}&${filter}`)).toEqual(named(...names));
    }
  });

  it("is complete page by page, in one round trip each, and records who saw what", async () => {
    const walked: string[] = [];
    for (let cursor = ""; ; ) {
      const { env: counted, counts } = withCounters(env);
      const path = `${API}/documents?patient_id=${patient.id}&limit=1${cursor && `&cursor=${cursor}`}`;
      const response = await sendRequest(path, { as: world.nurse, env: counted });
      const { data, meta } = await readJson(response);
      expect(counts.d1).toBe(1);
      expect(meta.pagination).toMatchObject({ total: 3, total_is_exact: true });
      expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toMatchObject([
        { event: "document.list", subjects: [patient.id], detail: JSON.stringify({ document_ids: [data[0].document_id] }) },
      ]);
      walked.push(data[0].document_id);
      cursor = encodeURIComponent(meta.pagination.next_cursor ?? "");
      if (!meta.pagination.has_more) break;
    }
    expect(walked).toEqual(named("second", "word", "letter"));
  });

  it("of a hospital has no filters without an index", async () => {
    expect(await idsOf(world.nurse, "limit=100")).toEqual(expect.arrayContaining(named("second", "letter")));
    for (const filter of ["type=18842-5", "content_type=text/plain", "date_from=2026-01-01T00:00:00Z", "status=superseded"]) {
      const response = await sendRequest(`${API}/documents?${filter}`, { as: world.nurse });
      const { status, errors } = await readJson(response);
      expect([status, errors[0].path]).toEqual([400, filter.split("=")[0]]);
    }
  });

  it("shows nobody more than they may see", async () => {
    const other = await newWorld();
    const own = await newDocument(world.self, world.patient.id);
    const hidden = await newDocument(world.nurse, world.patient.id);
    await markInError(world.nurse, hidden);
    expect(await idsOf(world.self, "type=34109-9")).toContain(own);
    expect(await idsOf(world.self, `patient_id=${patient.id}`)).toEqual([]);
    expect(await idsOf(world.self, "status=entered-in-error")).toEqual([]);
    expect(await idsOf(world.nurse, `status=entered-in-error&patient_id=${world.patient.id}`)).toContain(hidden);
    expect(await idsOf(other.nurse, "")).toEqual([]);
    expect(await idsOf(other.nurse, `patient_id=${patient.id}`)).toEqual([]);
    const stranger = await newDocument(world.nurse, world.stranger.id);
    expect(await idsOf(world.doctor, "limit=100")).not.toContain(stranger);
  });
});

describe("a link", () => {
  const bytes = toBytes(`Letter ${"x".repeat(100_000)}`);
  let id: string;
  beforeAll(async () => {
    id = await newDocument(world.nurse, world.patient.id, bytes);
  });
  const newLink = async (as: Person, of = id): Promise<string> => {
    const response = await sendRequest(`${API}/documents/${of}/link`, { as, method: "POST" });
    expect(response.status).toBe(200);
    return (await readJson(response)).data.download_url;
  };

  it("opens the file without a token, as an attachment, and leaves who came", async () => {
    const response = await sendRequest(await newLink(world.doctor), { ip: "192.0.2.9" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-disposition")).toMatch(/^attachment/);
    expect(await sha256(new Uint8Array(await response.arrayBuffer()))).toBe(await sha256(bytes));
    expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "document.download", actor_id: world.doctor.id, ip: "192.0.2.9", detail: '{"via":"link"}' },
    ]);
  });

  it("lasts five minutes", async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    const url = await newLink(world.doctor);
    vi.setSystemTime(start + LINK_LIFETIME_MS - 1);
    expect((await sendRequest(url)).status).toBe(200);
    vi.setSystemTime(start + LINK_LIFETIME_MS);
    await expectProblem(await sendRequest(url), 410, "link_expired");
  });

  it("is for one document, this kind of file and GET alone", async () => {
    const url = await newLink(world.doctor);
    const other = await newDocument(world.nurse, world.patient.id);
    await expectProblem(await sendRequest(url.replace(id, other)), 403, "link_invalid");
    await expectProblem(await sendRequest(url.replace("/documents/", "/reports/")), 403, "link_invalid");
    expect((await sendRequest(url, { method: "HEAD" })).status).toBe(403);
    const { data } = await readJson(await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id }));
    await expectProblem(await sendRequest(data.cloud_url.replace("/reports/", "/documents/")), 403, "link_invalid");
    await expectProblem(await sendRequest(url.replace(/.$/, (last) => (last === "A" ? "B" : "A"))), 403, "link_invalid");
  });

  it("ends with the right of who asked for it", async () => {
    const { doctor, patient, nurse } = await newWorld();
    const of = await newDocument(nurse, patient.id);
    const url = await newLink(doctor, of);
    expect((await sendRequest(url)).status).toBe(200);
    const left = await sendRequest(`${API}/patients/${patient.id}/care-team/${doctor.id}`, { as: nurse, method: "DELETE" });
    expect(left.status).toBe(200);
    const refused = await sendRequest(url);
    await expectProblem(refused, 404, "not_found");
    expect(await readAuditEvents(refused.headers.get("x-request-id") ?? "")).toMatchObject([{ event: "access.denied" }]);
  });

  it("of a patient ends when the document is entered in error", async () => {
    const of = await newDocument(world.self, world.patient.id);
    const url = await newLink(world.self, of);
    expect((await sendRequest(url)).status).toBe(200);
    await markInError(world.nurse, of);
    await expectProblem(await sendRequest(url), 404, "not_found");
  });
});

describe("a download", () => {
  it("has ranges, an ETag and HEAD", async () => {
    const bytes = toBytes(`Letter ${"abcdefghij".repeat(20_000)}`);
    const id = await newDocument(world.nurse, world.patient.id, bytes);
    const get = (headers: Record<string, string>, method = "GET") =>
      sendRequest(`${API}/documents/${id}/file`, { as: world.nurse, headers, method });
    const whole = await get({});
    const etag = whole.headers.get("etag") ?? "";
    expect(etag).toBe(`"${await sha256(bytes)}"`);
    await whole.body?.cancel();
    const range = await get({ Range: "bytes=65530-65545", "If-Range": etag });
    expect([range.status, range.headers.get("content-range")]).toEqual([206, `bytes 65530-65545/${bytes.length}`]);
    expect(await range.text()).toBe(new TextDecoder().decode(bytes.slice(65_530, 65_546)));
    expect((await get({ Range: "bytes=999999-" })).status).toBe(416);
    expect((await get({ "If-None-Match": etag })).status).toBe(304);
    const head = await get({}, "HEAD");
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, String(bytes.length), ""]);
  });
});

describe("at rest", () => {
  it("is no title, author, file name, reason or content in clear", async () => {
    const words = Object.fromEntries(
      ["title", "author", "file_name", "reason", "content"].map((name) => [name, `${name}${uniqueText()}`]),
    );
    const word = (name: string) => words[name] ?? "";
    const about = {
      patient_id: world.patient.id,
      title: word("title"),
      author: word("author"),
      file_name: `${word("file_name")}.txt`,
    };
    const before = new Set(await listStoredKeys());
    const { data } = await readJson(await uploadDocument(world.nurse, toBytes(word("content")), about));
    expect(data).toMatchObject({ title: word("title"), author: word("author"), file_name: `${word("file_name")}.txt` });
    await markInError(world.nurse, data.document_id, "*", word("reason"));
    const { results } = await env.DB.prepare("SELECT * FROM documents WHERE id = ?").bind(data.document_id).all();
    const events = await env.DB.prepare("SELECT * FROM audit_staged").all();
    const stored = (await listStoredKeys()).filter((key) => !before.has(key));
    expect([results.length, stored.length]).toEqual([1, 1]);
    const files = await Promise.all(
      stored.map(async (key) => Buffer.from((await (await env.FILES.get(key))?.arrayBuffer()) ?? []).toString("latin1")),
    );
    const raw = JSON.stringify([results, events.results, stored, files]);
    for (const text of Object.values(words)) {
      expect(raw).not.toContain(text);
      expect(raw).not.toContain(Buffer.from(text).toString("base64").replace(/=+$/, "").slice(0, -1));
    }
    // The search finds what is in clear.
    expect(raw).toContain(data.sha256);
  });
});

describe("the sweep", () => {
  it("keeps files of documents, of all versions, and deletes those of uploads that ended half-way", async () => {
    const id = await newDocument(world.nurse, world.patient.id);
    await uploadVersion(world.nurse, id, newText(), '"1"');
    const named = await env.DB.prepare("SELECT file_key FROM documents WHERE series_id = ?").bind(id).all<{ file_key: string }>();
    const before = new Set(await listStoredKeys());
    // The second call is the batch that names the file.
    const failing = { env: withStoreFault(env, 2, "before", "DB").env };
    expect((await uploadDocument(world.nurse, newText(), { patient_id: world.patient.id }, failing)).status).toBe(503);
    const orphans = (await listStoredKeys()).filter((key) => !before.has(key));
    expect(orphans).toHaveLength(1);
    await runCleanup(env, Date.now() + 2 * 3_600_000);
    const left = await listStoredKeys();
    expect(left).not.toContain(orphans[0]);
    for (const { file_key } of named.results) expect(left).toContain(file_key);
    expect(named.results).toHaveLength(2);
  });
});
