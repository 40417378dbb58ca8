// A file of each type that a document may have, and their upload over the API.
import { crc32 } from "node:zlib";
import type { Page } from "@playwright/test";
import type { Caller } from "./api.ts";
import { createEcg } from "./ecg.ts";
import { type Patient, uniqueText } from "./world.ts";

export type DocumentFile = { name: string; mimeType: string; buffer: Buffer };

export const newTextFile = (text = uniqueText()): DocumentFile => ({
  name: "letter.txt",
  mimeType: "text/plain",
  buffer: Buffer.from(`Discharge letter\n${text} – नमस्ते\n`),
});

/** A ZIP archive whose entries are stored as they are. */
function newZip(entries: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, text] of Object.entries(entries)) {
    const [fileName, data] = [Buffer.from(name), Buffer.from(text)];
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    local.writeUInt32LE(crc32(data), 14);
    local.writeUInt32LE(data.length, 18);
    local.writeUInt32LE(data.length, 22);
    local.writeUInt16LE(fileName.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    local.copy(entry, 6, 4, 30);
    entry.writeUInt32LE(at, 42);
    locals.push(local, fileName, data);
    directory.push(entry, fileName);
    at += 30 + fileName.length + data.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(entries).length, 8);
  end.writeUInt16LE(Object.keys(entries).length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, ...directory, end]);
}

const DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/** One of each type; the pictures are of this page. */
export async function newFileOfEachType(page: Page, patient: Patient): Promise<DocumentFile[]> {
  const clip = { x: 0, y: 0, width: 40, height: 40 };
  const parts = { "[Content_Types].xml": "<Types/>", "word/document.xml": `<w:document>${uniqueText()}</w:document>` };
  return [
    { name: "letter.pdf", mimeType: "application/pdf", buffer: (await createEcg(patient)).pdf },
    { name: "scan.jpg", mimeType: "image/jpeg", buffer: await page.screenshot({ type: "jpeg", clip }) },
    { name: "scan.png", mimeType: "image/png", buffer: await page.screenshot({ type: "png", clip }) },
    { name: "letter.docx", mimeType: DOCX, buffer: newZip(parts) },
    newTextFile(),
  ];
}

/** @returns the response's data: the document */
export async function sendDocument({ ask }: Caller, file: DocumentFile, fields: Readonly<Record<string, string>> = {}) {
  return (await ask("/documents", { body: toForm(file, { type: "18842-5", ...fields }) })).data;
}

export async function sendVersion({ ask }: Caller, document: { document_id: string; version: number }, file: DocumentFile) {
  const headers = { "If-Match": `"${document.version}"` };
  return (await ask(`/documents/${document.document_id}/versions`, { body: toForm(file, {}), headers })).data;
}

function toForm({ name, mimeType, buffer }: DocumentFile, fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.set(field, value);
  form.set("file", new File([new Uint8Array(buffer)], name, { type: mimeType }));
  return form;
}
