// Types of documents: found from the bytes, whatever the name says; renamed, damaged and hostile files are refused or harmless.
import { beforeAll, describe, expect, inject, it } from "vitest";
import { detectContentType } from "../../src/documents/file-types/detect-type.ts";
import { MAX_DOCUMENT_BYTES } from "../../src/documents/upload/read-form.ts";
import { ChunkedBytes } from "../../src/platform/chunked-bytes.ts";
import { inspectPdf } from "../../src/reports/upload/pdf.ts";
import {
  type Bytes,
  DOCX_PARTS,
  joinBytes,
  newDocx,
  newJpeg,
  newPng,
  newText,
  newZip,
  toBytes,
  uploadDocument,
  type ZipEntry,
} from "../document-files.ts";
import { absent } from "../shared-data.ts";
import { API, newPdf, newWorld, readAuditEvents, readJson, sendRequest, sha256, type World } from "../world.ts";
import { listStoredKeys } from "./storage-evidence.ts";

const DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
let world: World;
beforeAll(async () => {
  world = await newWorld();
});

const send = (bytes: Bytes, fileName = "letter.pdf") =>
  uploadDocument(world.nurse, bytes, { patient_id: world.patient.id, file_name: fileName });

async function expectRefused(bytes: Bytes, fileName?: string): Promise<void> {
  const before = await listStoredKeys();
  const response = await send(bytes, fileName);
  expect([response.status, (await readJson(response)).code]).toEqual([415, "unsupported_document"]);
  expect(await listStoredKeys()).toEqual(before);
  expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toMatchObject([
    { event: "document.refuse", outcome: "failed", reason: "unsupported_document", subjects: [world.patient.id] },
  ]);
}

describe("a file is of the type of its bytes:", () => {
  it.each<[string, () => Bytes, string]>([
    ["PDF", () => newPdf(), "application/pdf"],
    [
      "PDF after a BOM and with padding at its end",
      () => joinBytes(toBytes("\ufeff\n"), newPdf(), new Uint8Array(4_000)),
      "application/pdf",
    ],
    ["JPEG", newJpeg, "image/jpeg"],
    ["PNG", newPng, "image/png"],
    ["DOCX", newDocx, DOCX],
    ["text", newText, "text/plain"],
    ["text with a BOM", () => joinBytes(toBytes("\ufeff"), newText()), "text/plain"],
    ["text of one character", () => toBytes("क"), "text/plain"],
  ])("%s", async (_, make, type) => {
    const bytes = make();
    const response = await send(bytes, "page.html");
    const { data } = await readJson(response);
    expect([response.status, data]).toMatchObject([201, { content_type: type, size: bytes.length, file_name: "page.html" }]);
    const file = await sendRequest(API + data.file_url.slice(API.length), { as: world.doctor });
    expect(Object.fromEntries(file.headers)).toMatchObject({
      "content-type": type === "text/plain" ? "text/plain; charset=utf-8" : type,
      "content-disposition": expect.stringMatching(/^attachment; filename="page\.html"/),
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
      "content-length": String(bytes.length),
    });
    expect(await sha256(new Uint8Array(await file.arrayBuffer()))).toBe(data.sha256);
  });

  it.each([
    ["HTML", "<!doctype html><script>alert(1)</script>"],
    ["SVG", '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'],
    ["a script", "#!/bin/sh\nrm -rf /\n"],
  ])("%s is text, which is served as an attachment and never runs", async (_, text) => {
    const { data } = await readJson(await send(toBytes(text), "scan.png"));
    expect(data.content_type).toBe("text/plain");
    const { headers } = await sendRequest(data.file_url, { as: world.nurse });
    expect(headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(headers.get("content-disposition")).toMatch(/^attachment/);
    expect([headers.get("x-content-type-options"), headers.get("content-security-policy")]).toEqual([
      "nosniff",
      "default-src 'none'; sandbox",
    ]);
  });
});

describe("a file is refused that", () => {
  const cut = (bytes: Bytes, by = 1): Bytes => bytes.slice(0, bytes.length - by);

  it.each<[string, () => Bytes]>([
    ["is empty", () => new Uint8Array()],
    [
      "is a program",
      () => joinBytes(toBytes("MZ"), new Uint8Array([0x90, 0, 3, 0, 0, 0]), toBytes("This program cannot be run")),
    ],
    ["is a GIF", () => joinBytes(toBytes("GIF89a"), new Uint8Array([1, 0, 1, 0, 0, 0, 0]))],
    ["is UTF-16", () => new Uint8Array(Buffer.from("\ufeffA letter", "utf16le"))],
    ["is Latin-1", () => new Uint8Array(Buffer.from("Befund: Thorax unauffällig", "latin1"))],
    ["is text with NUL", () => toBytes("a\0b")],
    ["is text with an escape sequence", () => toBytes("\u001b[2J")],
    ["is text that ends within a character", () => cut(toBytes("Ende क"))],
    ["is a PDF without an end", () => cut(newPdf(), 8)],
    ["is a JPEG without an end", () => cut(newJpeg())],
    ["is a JPEG with a page after it", () => joinBytes(newJpeg(), toBytes("<script>1</script>"))],
    ["is a PNG without an end", () => cut(newPng())],
    ["is a PNG whose first chunk is another", () => joinBytes(newPng().slice(0, 12), toBytes("tEXt"), newPng().slice(16))],
    ["is a PNG with an archive after it", () => joinBytes(newPng(), newDocx())],
    ["is a DOCX without an end", () => cut(newDocx())],
    ["is a DOCX with bytes after it", () => joinBytes(newDocx(), toBytes("x"))],
    ["is a program with a DOCX after it", () => joinBytes(toBytes("MZ\0\0"), newDocx())],
    ["is no more than the signature of an archive", () => toBytes("PK\u0003\u0004")],
  ])("%s", async (_, make) => {
    await expectRefused(make());
  });

  const docx = (...more: ZipEntry[]) => newZip([...DOCX_PARTS, ...more]);
  const part = (name: string, claimed?: ZipEntry["claimed"]): ZipEntry => ({
    name,
    data: toBytes(name),
    ...(claimed && { claimed }),
  });
  const [types, body] = DOCX_PARTS as [ZipEntry, ZipEntry];
  const bomb = new Uint8Array(8 * 1024 * 1024);
  it.each<[string, () => Bytes]>([
    ["is an archive of something else", () => newZip([part("[Content_Types].xml"), part("xl/workbook.xml")])],
    ["has macros", () => docx(part("word/vbaProject.bin"))],
    ["has macros under a name in other letters", () => docx(part("WORD/VBAPROJECT.BIN"))],
    ["has a part outside of the archive", () => docx(part("../../etc/passwd"))],
    ["has a part twice", () => docx(part("word/document.xml"))],
    ["is encrypted", () => newZip([types, { ...body, claimed: { flags: 1 } }])],
    ["names a part that is not there", () => newZip([types, part("word/other.xml", { name: "word/document.xml" })])],
    ["says that a part is beyond the end", () => newZip([types, { ...body, claimed: { offset: 0x7fffffff } }])],
    ["says that a part is longer than the file", () => newZip([types, { ...body, claimed: { packedSize: 1_000_000 } }])],
    ["has parts over each other", () => newZip([types, body, part("word/a.xml", { name: types.name, offset: 0 })])],
    ["inflates to gigabytes by its directory", () => newZip([types, { ...body, claimed: { size: 0xfffffff0 } }])],
    [
      "inflates to hundreds of megabytes in all",
      () =>
        docx(
          ...Array.from({ length: 60 }, (_, i) => ({
            name: `word/${i}.xml`,
            data: toBytes("x"),
            claimed: { size: bomb.length },
          })),
        ),
    ],
    ["says that it has more parts than it has", () => newZip(DOCX_PARTS, { count: 3 })],
    ["says that it has fewer parts", () => newZip([...DOCX_PARTS, part("word/a.xml")], { count: 2 })],
    ["has a directory elsewhere", () => newZip(DOCX_PARTS, { offset: 4 })],
    ["has a directory beyond its size", () => newZip(DOCX_PARTS, { size: 0xffffffff })],
    ["has 2,001 parts", () => docx(...Array.from({ length: 1_999 }, (_, i) => part(`word/${i}`)))],
  ])("as a DOCX %s", async (_, make) => {
    await expectRefused(make(), "letter.docx");
  });

  it("is a bomb: what its directory hides is not inflated, and costs no more than its bytes", async () => {
    // 8 MiB of zeros in 8 KB, of which the directory knows ten bytes: only a reader would see it.
    const bytes = docx({ name: "word/media/a.bin", data: bomb, claimed: { size: 10 } });
    expect(bytes.length).toBeLessThan(10_000);
    const started = performance.now();
    const response = await send(bytes, "letter.docx");
    expect([response.status, (await readJson(response)).data.size]).toEqual([201, bytes.length]);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe("a file of the maximum size", () => {
  const big = (size: number): Bytes => {
    const bytes = new Uint8Array(size).fill(120);
    bytes.set(newText());
    return bytes;
  };

  it("is stored, and one of a byte more is refused", async () => {
    const bytes = big(MAX_DOCUMENT_BYTES);
    const response = await send(bytes);
    const { data } = await readJson(response);
    expect([response.status, data.size]).toEqual([201, MAX_DOCUMENT_BYTES]);
    const file = await sendRequest(data.file_url, { as: world.doctor });
    expect(await sha256(new Uint8Array(await file.arrayBuffer()))).toBe(await sha256(bytes));
    const over = await send(big(MAX_DOCUMENT_BYTES + 1));
    expect([over.status, (await readJson(over)).code]).toEqual([413, "too_large"]);
  });
});

describe("real files", () => {
  const files = inject("pdfs").map(({ path, base64 }) => ({ path, bytes: new Uint8Array(Buffer.from(base64, "base64")) }));

  it("are PDFs where reports take them as PDFs, and text or nothing elsewhere", ({ skip }) => {
    skip(files.length === 0, absent("ecg/pdf"));
    for (const { path, bytes } of files) {
      // In pieces of an odd length, as bodies arrive.
      const pieces = Array.from({ length: Math.ceil(bytes.length / 997) }, (_, i) => bytes.subarray(997 * i, 997 * (i + 1)));
      const type = detectContentType(new ChunkedBytes(pieces));
      expect(type === "application/pdf", path).toBe(inspectPdf(bytes).isPdf);
      expect(["application/pdf", "text/plain", null], path).toContain(type);
    }
  });

  it("come back byte for byte", async ({ skip }) => {
    skip(files.length === 0, absent("ecg/pdf"));
    for (const { path, bytes } of files.filter((file) => file.path.startsWith("ecg/")).slice(0, 8)) {
      const response = await send(bytes, path);
      const { data } = await readJson(response);
      expect([response.status, data.content_type], path).toEqual([201, "application/pdf"]);
      const file = await sendRequest(data.file_url, { as: world.doctor });
      expect(await sha256(new Uint8Array(await file.arrayBuffer())), path).toBe(await sha256(bytes));
    }
  });
});
