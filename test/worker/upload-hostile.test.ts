// Hostile uploads: malformed multipart forms, file names, polyglots, stalled senders; files of public test suites.
import { afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { BODY_IDLE_TIMEOUT_MS } from "../../src/http/request-body.ts";
import { isSampled } from "../long.ts";
import { absent } from "../shared-data.ts";
import {
  API,
  newDevice,
  newPdf,
  newWorld,
  type RequestOptions,
  readJson,
  sendRequest,
  sha256,
  uploadRaw,
  uploadReport,
  type World,
} from "../world.ts";
import { buildMultipart, createFilePart, listReportIds, listStoredKeys, type Part, readUploadRows } from "./storage-evidence.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterEach(() => vi.useRealTimers());

const BOUNDARY = "edgecare-boundary";
const field = (name: string, value: string): Part => ({
  headers: [`Content-Disposition: form-data; name="${name}"`],
  body: value,
});

function sendForm(
  bytes: Uint8Array<ArrayBuffer>,
  type = `multipart/form-data; boundary=${BOUNDARY}`,
  options: RequestOptions = {},
) {
  return sendRequest(`${API}/reports`, { as: world.nurse, body: bytes, headers: { "Content-Type": type }, ...options });
}

async function expectRefused(response: Response, status: number): Promise<void> {
  expect({ status: response.status, ...(await readJson(response)) }).toMatchObject({ status });
  expect(await readUploadRows(response)).toMatchObject([{ outcome: "refused", hospital_id: world.hospitalId }]);
}

describe("a multipart form", () => {
  const about = () => field("patient_id", world.patient.id);

  it("written by hand is taken, with other parts in any order", async () => {
    const sent = await sendForm(buildMultipart(BOUNDARY, [createFilePart(newPdf()), about(), field("session_type", "")]));
    expect(sent.status).toBe(201);
  });

  it.each([
    ["no boundary", "multipart/form-data"],
    ["an empty boundary", "multipart/form-data; boundary="],
    ["another boundary", "multipart/form-data; boundary=other"],
  ])("with %s is refused", async (_, type) => {
    const response = await sendForm(buildMultipart(BOUNDARY, [about(), createFilePart(newPdf())]), type);
    expect([400, 415]).toContain(response.status);
    await expectRefused(response, response.status);
  });

  it.each<[string, () => Uint8Array<ArrayBuffer>]>([
    ["that never ends", () => buildMultipart(BOUNDARY, [about(), createFilePart(newPdf())], false)],
    ["of two files", () => buildMultipart(BOUNDARY, [about(), createFilePart(newPdf()), createFilePart(newPdf())])],
    [
      "naming two patients",
      () => buildMultipart(BOUNDARY, [about(), field("patient_id", world.stranger.id), createFilePart(newPdf())]),
    ],
    ["without a file", () => buildMultipart(BOUNDARY, [about()])],
    ["whose file is text", () => buildMultipart(BOUNDARY, [about(), field("file", "%PDF-1.4 %%EOF")])],
    [
      "of 10,000 parts",
      () =>
        buildMultipart(BOUNDARY, [...Array.from({ length: 10_000 }, (_, i) => field(`f${i}`, "x")), createFilePart(newPdf())]),
    ],
    // The platform's parser would take seconds.
    ["of empty parts alone", () => new Uint8Array(Buffer.from(`--${BOUNDARY}\r\n\r\n\r\n`.repeat(150_000)))],
    ["with a field nobody knows", () => buildMultipart(BOUNDARY, [about(), field("role", "admin"), createFilePart(newPdf())])],
    ["with __proto__", () => buildMultipart(BOUNDARY, [about(), field("__proto__", "x"), createFilePart(newPdf())])],
    ["of nothing", () => new Uint8Array()],
  ])("%s is refused, quickly", async (_, bytes) => {
    const started = performance.now();
    await expectRefused(await sendForm(bytes()), 400);
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it("within a form is a file like any other, and is not a PDF", async () => {
    const inner = buildMultipart("inner", [createFilePart(newPdf())]);
    const nested: Part = {
      headers: ['Content-Disposition: form-data; name="file"; filename="f"', "Content-Type: multipart/mixed; boundary=inner"],
      body: inner,
    };
    await expectRefused(await sendForm(buildMultipart(BOUNDARY, [about(), nested])), 415);
  });

  it("behind a megabyte of preamble is refused or taken whole, never half", async () => {
    const form = buildMultipart(BOUNDARY, [about(), createFilePart(newPdf())]);
    const late = new Uint8Array(Buffer.concat([Buffer.from("x".repeat(1_000_000)), Buffer.from("\r\n"), form]));
    const response = await sendForm(late);
    expect([201, 400]).toContain(response.status);
  });
});

describe("a file name", () => {
  it.each([
    ["../../etc/passwd", "passwd"],
    ["..\\..\\x.pdf", "x.pdf"],
    ["a\u0000b.pdf", "ab.pdf"],
    ["ecg\u202Efdp.exe", "ecgfdp.exe"],
    ["x.pdf.exe", "x.pdf.exe"],
    ['a"; filename="b.html', "a; filename=b.html"],
    ["a\r\nSet-Cookie: x=1", "aSet-Cookie: x=1"],
    ["💓 मीना.pdf", "💓 मीना.pdf"],
    ["..", "report.pdf"],
    ["", "report.pdf"],
    ["n".repeat(5000), "n".repeat(120)],
    ["100%;'*.pdf", "100%;'*.pdf"],
  ])("%j is kept as %j and splits no header", async (name, kept) => {
    const pdf = newPdf();
    const headers = { "X-File-Name": encodeURIComponent(name) };
    const sent = await uploadRaw(world.nurse, pdf, `?patient_id=${world.patient.id}`, { headers });
    expect(sent.status).toBe(201);
    const { data } = await readJson(sent);
    expect((await readJson(await sendRequest(`${API}/reports/${data.report_id}`, { as: world.nurse }))).data.file_name).toBe(
      kept,
    );
    const file = await sendRequest(data.cloud_url);
    const disposition = file.headers.get("content-disposition") ?? "";
    expect(disposition).toMatch(/^attachment; filename="[\x20-\x7e]+"; filename\*=UTF-8''[\w.~!#$&+^`|%-]+$/);
    expect(disposition.match(/"/g)).toHaveLength(2);
    expect(decodeURIComponent(disposition.split("UTF-8''")[1] ?? "")).toBe(kept);
    expect(file.headers.get("set-cookie")).toBeNull();
    await file.body?.cancel();
  });

  it("comes from a form as well, and names no object", async () => {
    const part = createFilePart(newPdf(), `filename="../../${world.patient.canary}.pdf"`);
    const sent = await sendForm(buildMultipart(BOUNDARY, [field("patient_id", world.patient.id), part]));
    expect(sent.status).toBe(201);
    const keys = await listStoredKeys();
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) expect(key).toMatch(/^[\w-]+\/\d+\/[\w-]{20,}$/);
  });
});

describe("active and mixed content", () => {
  const inside = (text: string) => newPdf(text);

  it.each([
    ["JavaScript", inside("/OpenAction<</S/JavaScript/JS(app.alert(1))>>")],
    ["a launch action", inside("/S/Launch/F(cmd.exe)")],
    ["an embedded file", inside("/EmbeddedFile")],
    ["the EICAR test string", inside("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")],
    ["HTML", inside("<script>alert(document.domain)</script>")],
    ["a program of 500 bytes after it", new Uint8Array(Buffer.concat([newPdf(), Buffer.from("MZ".repeat(250))]))],
  ])("%s is stored as it is and never shown inline", async (_, pdf) => {
    const sent = await uploadReport(world.nurse, pdf, { patient_id: world.patient.id });
    expect(sent.status).toBe(201);
    const file = await sendRequest((await readJson(sent)).data.cloud_url);
    expect(Object.fromEntries(file.headers)).toMatchObject({
      "content-type": "application/pdf",
      "content-disposition": expect.stringMatching(/^attachment;/),
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
      "cache-control": "private, no-store",
    });
    expect(await sha256(new Uint8Array(await file.arrayBuffer()))).toBe(await sha256(pdf));
  });
});

describe("a sender that falls silent", () => {
  it("is cut off, and leaves nothing but its log row", async () => {
    const before = [await listStoredKeys(), await listReportIds(world.patient.id)];
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
    let asked = 0;
    const body = new ReadableStream<Uint8Array>({
      // Two bytes of a hundred thousand, then nothing: the promise never settles.
      pull: (controller) => (asked++ === 0 ? controller.enqueue(new TextEncoder().encode("%P")) : new Promise(() => {})),
    });
    const headers = { "Content-Length": "100000", "X-Content-SHA256": "0".repeat(64) };
    const sending = uploadRaw(world.nurse, newPdf(), `?patient_id=${world.patient.id}`, { body, headers });
    let response: Response | undefined;
    sending.then((answer) => {
      response = answer;
    });
    // Stores respond in real time; only the idle timer uses the fake clock.
    for (let i = 0; i < 200 && !response; i++) {
      await scheduler.wait(10);
      if (asked > 1) await vi.advanceTimersByTimeAsync(BODY_IDLE_TIMEOUT_MS);
    }
    expect(response?.status).toBe(408);
    vi.useRealTimers();
    expect(await readUploadRows(await sending)).toMatchObject([{ outcome: "refused", reason: "request_timeout" }]);
    expect([await listStoredKeys(), await listReportIds(world.patient.id)]).toEqual(before);
  });

  it("is cut off 30 s after its last byte, not after its first", async () => {
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
    const start = Date.now();
    let sender: ReadableStreamDefaultController<Uint8Array> | undefined;
    let asked = 0;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        sender = controller;
      },
      // Once at the start, then once per read.
      pull: () => void asked++,
    });
    const headers = { "Content-Length": "100000", "X-Content-SHA256": "0".repeat(64) };
    let response: Response | undefined;
    uploadRaw(world.nurse, newPdf(), `?patient_id=${world.patient.id}`, { body, headers }).then((answer) => {
      response = answer;
    });
    // Stores respond in real time.
    const wait = async (isOver: () => boolean) => {
      for (let i = 0; i < 200 && !isOver(); i++) await scheduler.wait(10);
    };
    await wait(() => asked > 1);
    await vi.advanceTimersByTimeAsync(BODY_IDLE_TIMEOUT_MS - 5_000);
    const before = asked;
    sender?.enqueue(new TextEncoder().encode("%P"));
    await wait(() => asked > before);
    await vi.advanceTimersByTimeAsync(BODY_IDLE_TIMEOUT_MS - 5_000);
    await scheduler.wait(100);
    expect(response).toBeUndefined();
    expect(Date.now() - start).toBeGreaterThan(BODY_IDLE_TIMEOUT_MS);
    await vi.advanceTimersByTimeAsync(5_000);
    await wait(() => response !== undefined);
    expect(response?.status).toBe(408);
  });
});

describe("real files", () => {
  const files = inject("pdfs");

  it.for(["ecg/pdf", "hostile/pdf"])(
    "%s: never a failure; what is accepted comes back byte for byte",
    async (folder, { annotate, skip }) => {
      const mine = files.filter((file) => file.path.startsWith(folder));
      skip(mine.length === 0, absent(folder));
      // Of another hospital, since a device's file is never filed for a second patient of its own.
      const elsewhere = await newWorld();
      const device = await newDevice(elsewhere.nurse, elsewhere.patient.id);
      const outcomes: Record<number, number> = {};
      const tryOut = async ({ path, base64 }: (typeof mine)[number], as: { token: string }) => {
        const pdf = new Uint8Array(Buffer.from(base64, "base64"));
        const fields = as === device ? {} : { patient_id: world.patient.id };
        const sent = await uploadReport(as, pdf, { fileName: path.split("/").at(-1) ?? "", ...fields });
        expect([200, 201, as === device ? 202 : 415], path).toContain(sent.status);
        outcomes[sent.status] = (outcomes[sent.status] ?? 0) + 1;
        const { data } = await readJson(sent);
        if (sent.status > 201) return;
        const file = await sendRequest(data.cloud_url);
        expect(await sha256(new Uint8Array(await file.arrayBuffer())), path).toBe(await sha256(pdf));
      };
      const every = folder === "hostile/pdf" ? 2 : 1;
      const all = mine.flatMap((file, row) =>
        [world.nurse, device].filter((_, column) => isSampled(row, column, every)).map((as) => () => tryOut(file, as)),
      );
      while (all.length > 0) await Promise.all(all.splice(0, 16).map((run) => run()));
      await annotate(`${folder}: ${mine.length} files, answers ${JSON.stringify(outcomes)}`);
      expect(outcomes[201]).toBeGreaterThanOrEqual(2);
      if (folder === "ecg/pdf") expect(outcomes).toEqual({ 201: 2 * mine.length });
    },
  );
});
