// What real clients send: forms as their libraries write them, padded PDFs, times without a zone.
import { beforeAll, describe, expect, inject, it } from "vitest";
import { BLANK_WORDS, flagMetrics, isBlankMetric } from "../../src/reports/upload/metric-flags.ts";
import { isSampled } from "../long.ts";
import { absent } from "../shared-data.ts";
import {
  API,
  env,
  newDevice,
  newPdf,
  newWorld,
  readJson,
  sendRequest,
  sha256,
  uniqueText,
  uploadRaw,
  uploadReport,
  type World,
} from "../world.ts";
import { buildMultipart, type Part } from "./storage-evidence.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

const detail = async (id: string) => (await readJson(await sendRequest(`${API}/reports/${id}`, { as: world.nurse }))).data;

describe("a form", () => {
  const BOUNDARY = "edgecare-boundary";
  const field = (name: string, value: string, ...more: string[]): Part => ({
    headers: [`Content-Disposition: form-data; name=${name}`, ...more],
    body: value,
  });
  const send = (body: Uint8Array<ArrayBuffer>, type = `multipart/form-data; boundary="${BOUNDARY}"`) =>
    sendRequest(`${API}/reports`, { as: world.nurse, body, headers: { "Content-Type": type } });
  const file = (disposition: string, encoding: BufferEncoding = "utf8"): Part => ({
    headers: [
      Buffer.from(`Content-Disposition: form-data; ${disposition}`, encoding).toString("latin1"),
      "Content-Type: application/pdf",
    ],
    body: newPdf(),
  });
  /** Headers are written as Latin-1, so that a part may have any bytes. */
  const build = (parts: Part[]) =>
    new Uint8Array(
      Buffer.concat([
        ...parts.flatMap(({ headers, body }) => [
          Buffer.from(`--${BOUNDARY}\r\n${headers.join("\r\n")}\r\n\r\n`, "latin1"),
          Buffer.from(body),
          Buffer.from("\r\n"),
        ]),
        Buffer.from(`--${BOUNDARY}--\r\n`),
      ]),
    );

  it.each<[string, string, string, BufferEncoding?]>([
    ["nothing quoted, as .NET sends", "name=file; filename=ecg.pdf", "ecg.pdf"],
    ["filename* alone", "name=file; filename*=utf-8''%E0%A4%AE%E0%A5%80%E0%A4%A8%E0%A4%BE.pdf", "मीना.pdf"],
    ["both, as .NET sends", "name=file; filename=ecg.pdf; filename*=utf-8''%C3%A9.pdf", "é.pdf"],
    ["escaped quotes", 'name="file"; filename="a \\"b\\" c.pdf"', "a b c.pdf"],
    ["raw UTF-8", 'name="file"; filename="मीना ☂.pdf"', "मीना ☂.pdf"],
    ["a line separator", 'name="file"; filename="ab\u2028.é😀\u2029.pdf"', "ab.é😀.pdf"],
    ["raw Latin-1", 'name="file"; filename="Müller.pdf"', "Müller.pdf", "latin1"],
    ["the name after the file name", 'filename="x.pdf"; name="file"', "x.pdf"],
    ["a semicolon in quotes", 'name="file"; filename="a;b.pdf"', "a;b.pdf"],
    ["a type and no file name", 'name="file"', "report.pdf"],
  ])("with %s is taken", async (_, disposition, name, encoding) => {
    const about = field("patient_id", world.patient.id, "Content-Type: text/plain; charset=utf-8");
    for (const parts of [
      [about, file(disposition, encoding)],
      [file(disposition, encoding), about],
    ]) {
      const sent = await send(build(parts));
      expect(sent.status, await sent.clone().text()).toBe(201);
      expect((await detail((await readJson(sent)).data.report_id)).file_name).toBe(name);
    }
  });

  it("with a line end before its first boundary is taken; with a file for a field it is refused", async () => {
    const form = buildMultipart(BOUNDARY, [field('"patient_id"', world.patient.id), file('name="file"; filename="a.pdf"')]);
    expect((await send(new Uint8Array(Buffer.concat([Buffer.from("\r\n"), form])))).status).toBe(201);
    const wrong = field("session_type; filename=a.txt", "rest");
    const refused = await send(build([field("patient_id", world.patient.id), wrong, file("name=file; filename=a.pdf")]));
    expect([refused.status, (await readJson(refused)).errors]).toMatchObject([400, [{ path: "session_type" }]]);
  });

  it("with 40 KiB of headers in a part is refused", async () => {
    const refused = await send(build([field("patient_id", world.patient.id, `X-Long: ${"x".repeat(40_000)}`)]));
    expect([refused.status, (await readJson(refused)).code]).toEqual([400, "invalid_request"]);
  });
});

describe("padding of a PDF", () => {
  const padded = (before: string, after: string) =>
    new Uint8Array(Buffer.concat([Buffer.from(before, "latin1"), newPdf(), Buffer.from(after, "latin1")]));
  const BOM = "\xef\xbb\xbf";

  it.each([
    ["a BOM", BOM, ""],
    ["line ends", "\r\n\r\n", "\r\n"],
    ["a BOM and a line end", `${BOM}\r\n`, ""],
    ["1 KiB of blanks and NULs", " \t\f\0".repeat(256), ""],
    ["NULs after it", "", "\0".repeat(4096)],
    ["64 KiB of blanks after it", "", " \n\0\r".repeat(16 * 1024 - 1)],
  ])("with %s is taken from people and devices, and kept byte for byte", async (_, before, after) => {
    const device = await newDevice(world.nurse, world.patient.id);
    for (const [as, query] of [
      [world.nurse, `?patient_id=${world.patient.id}`],
      [device, ""],
    ] as const) {
      const [form, raw] = [padded(before, after), padded(before, after)];
      const fields = query ? { patient_id: world.patient.id } : {};
      for (const [pdf, sent] of [
        [form, await uploadReport(as, form, fields)],
        [raw, await uploadRaw(as, raw, query)],
      ] as const) {
        expect(sent.status).toBe(201);
        const stored = await sendRequest((await readJson(sent)).data.cloud_url);
        expect(await sha256(new Uint8Array(await stored.arrayBuffer()))).toBe(await sha256(pdf));
      }
    }
  });

  it.each([
    ["a letter", "x", ""],
    ["a BOM of UTF-16", "\xff\xfe", ""],
    ["more than 1 KiB of blanks", " ".repeat(1025), ""],
    ["half a BOM", "\xef\xbb", ""],
    ["more than 64 KiB of blanks after it", "", " ".repeat(65_537)],
    ["1 KiB of other bytes after it", "", "x".repeat(1024)],
  ])("with %s is refused to people, and quarantined for devices", async (_, before, after) => {
    const query = `?patient_id=${world.patient.id}`;
    const device = await newDevice(world.nurse, world.patient.id);
    for (const refused of [
      await uploadReport(world.nurse, padded(before, after), { patient_id: world.patient.id }),
      await uploadRaw(world.nurse, padded(before, after), query),
    ])
      expect([refused.status, (await readJson(refused)).code]).toEqual([415, "not_pdf"]);
    const held = await uploadRaw(device, padded(before, after));
    expect([held.status, (await readJson(held)).data.reason]).toEqual([202, "not_pdf"]);
  });

  it("is found in any chunks of a direct upload; what is no PDF waits in quarantine for a person", async () => {
    const device = await newDevice(world.nurse, world.patient.id);
    const direct = async (pdf: Uint8Array<ArrayBuffer>) => {
      const json = { size: pdf.length, sha256: await sha256(pdf) };
      const { upload_id } = (await readJson(await sendRequest(`${API}/reports/direct`, { as: device, json }))).data;
      const key = await env.DB.prepare("SELECT incoming_key FROM uploads WHERE id = ?")
        .bind(upload_id)
        .first<string>("incoming_key");
      await env.FILES.put(key ?? "", pdf);
      const confirmed = await sendRequest(`${API}/reports/direct/${upload_id}/confirm`, { as: device, method: "POST" });
      return { status: confirmed.status, ...(await readJson(confirmed)).data };
    };
    expect(await direct(padded(BOM, "\0".repeat(60_000)))).toMatchObject({ status: "preliminary" });
    const junk = padded("x", "");
    const held = await direct(junk);
    expect(held).toMatchObject({ report_id: null, reason: "not_pdf" });
    expect(await direct(junk)).toMatchObject({ upload_id: held.upload_id, reason: "not_pdf" });
    const json = { patient_id: world.patient.id, reason: "Opened: an ECG of this patient" };
    expect((await sendRequest(`${API}/uploads/${held.upload_id}/assign`, { as: world.nurse, json })).status).toBe(201);
  });

  it("leaves published hostile files as they were: those without a header or an end are refused", async ({ skip }) => {
    const files = inject("pdfs").filter(({ path }) => path.startsWith("hostile/pdf"));
    skip(files.length === 0, absent("hostile/pdf"));
    for (const { path, base64 } of files.filter((_, i) => isSampled(i, 0, 3))) {
      const pdf = new Uint8Array(Buffer.from(base64, "base64"));
      const text = Buffer.from(pdf).toString("latin1");
      const isWhole =
        /^[\0\t\n\f\r ]{0,1024}%PDF-/.test(text) &&
        text
          .replace(/[\0\t\n\f\r ]+$/, "")
          .slice(-1024)
          .includes("%%EOF");
      const sent = await uploadRaw(world.nurse, pdf, `?patient_id=${world.patient.id}`);
      expect([isWhole ? 201 : 415, 200], path).toContain(sent.status);
    }
  });
});

describe("a time of measurement", () => {
  async function inZone(time_zone: string): Promise<World> {
    const created = await newWorld();
    const change = { method: "PATCH", json: { time_zone }, headers: { "If-Match": "*" } };
    expect((await sendRequest(`${API}/hospitals/${created.hospitalId}`, { as: created.manager, ...change })).status).toBe(200);
    return created;
  }

  it("without a zone is the hospital's, for people and devices", async () => {
    const india = await inZone("Asia/Kolkata");
    const device = await newDevice(india.nurse, india.patient.id);
    const start = new Date(Date.now() - 30_000).toISOString();
    const local = new Date(Date.parse(start) + 5.5 * 3_600_000).toISOString().slice(0, 19);
    for (const [as, recorded_at, effective] of [
      [india.nurse, "2026-01-02T03:04:05", "2026-01-01T21:34:05.000Z"],
      [india.nurse, "2026-01-02 03:04", "2026-01-01T21:34:00.000Z"],
      [india.nurse, "2026-01-02 03:04:05.25 +0100", "2026-01-02T02:04:05.250Z"],
      [device, local, ""],
    ] as const) {
      const fields = as === device ? {} : { patient_id: india.patient.id };
      const { data } = await readJson(await uploadReport(as, newPdf(), { ...fields, recorded_at }));
      // Half a minute before the device was assigned, and not five hours ahead.
      if (as === device) expect(data).toMatchObject({ status: "quarantined", reason: "not_bound_then" });
      else
        expect((await readJson(await sendRequest(`${API}/reports/${data.report_id}`, { as }))).data.effective_at).toBe(effective);
    }
  });

  it.each([
    ["a clock change skips", "2026-03-29T01:30:00", "unclear_time"],
    ["a clock change repeats", "2026-10-25T01:30:00", "unclear_time"],
    ["nobody can read", "29.3.2026 01:30", "invalid_format"],
    ["is no day", "2026-02-30T01:30:00", "invalid_format"],
  ])("that %s is refused to people, and never costs a device its file", async (_, recorded_at, code) => {
    const britain = await inZone("Europe/London");
    const device = await newDevice(britain.nurse, britain.patient.id);
    const refused = await uploadReport(britain.nurse, newPdf(), { patient_id: britain.patient.id, recorded_at });
    expect([refused.status, (await readJson(refused)).errors]).toMatchObject([400, [{ path: "recorded_at", code }]]);
    for (const held of [
      await uploadReport(device, newPdf(), { recorded_at }),
      await uploadRaw(device, newPdf(), `?recorded_at=${encodeURIComponent(recorded_at)}`),
    ])
      expect([held.status, (await readJson(held)).data]).toMatchObject([202, { status: "quarantined", reason: "time_unclear" }]);
    for (const clear of ["2026-03-29T00:59:59", "2026-03-29T02:00:00", "2026-10-25T00:59:59", "2026-10-25T02:00:00"]) {
      const sent = await uploadReport(britain.nurse, newPdf(), { patient_id: britain.patient.id, recorded_at: clear });
      expect(sent.status, clear).toBe(201);
    }
  });
});

describe("blanks of vendors", () => {
  const MARKS = [
    "",
    " ",
    "-",
    "--",
    "---",
    "------",
    "- -",
    "–",
    "—",
    "− −",
    "*",
    "***",
    "?",
    "??",
    ".",
    "...",
    "_",
    "____",
    "#",
    "###",
    "/",
    "-.-",
    "--.-",
  ];

  it("mean not measured, in any case and padding", () => {
    for (const blank of [...MARKS, ...BLANK_WORDS, ...BLANK_WORDS.map((word) => word.toUpperCase())]) {
      for (const value of [blank, `  ${blank}\u00a0`]) expect(isBlankMetric(value), JSON.stringify(value)).toBe(true);
      expect(flagMetrics("ecg", { heart_rate: blank }).metric_flags).toEqual([{ name: "heart_rate", code: "not_measured" }]);
    }
    expect(isBlankMetric(null)).toBe(true);
  });

  it("are not taken from values", () => {
    for (const value of [0, -1, "0", "-1", "- 5", "118 bpm", "n", "none of these", false, {}, []])
      expect(isBlankMetric(value), JSON.stringify(value)).toBe(false);
    expect(isBlankMetric(uniqueText())).toBe(false);
  });
});
