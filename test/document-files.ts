// Files for tests of documents: a small valid file per type, archives with wrong directories, and their upload.
import { crc32, deflateRawSync, deflateSync } from "node:zlib";
import { API, type RequestOptions, readJson, sendRequest, uniqueText } from "./world.ts";

export type Bytes = Uint8Array<ArrayBuffer>;
const encoder = new TextEncoder();
export const toBytes = (text: string): Bytes => new Uint8Array(encoder.encode(text));
export const joinBytes = (...parts: Uint8Array[]): Bytes => new Uint8Array(Buffer.concat(parts));

export const newText = (text = uniqueText()): Bytes => toBytes(`Discharge letter\n\t${text} – नमस्ते\r\n`);

function pngChunk(type: string, data: Uint8Array): Bytes {
  const body = joinBytes(toBytes(type), data);
  const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  crc.writeUInt32BE(crc32(body));
  return joinBytes(length, body, crc);
}

/** One grey pixel, with a comment. */
export function newPng(text = uniqueText()): Bytes {
  const header = new Uint8Array([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
  return joinBytes(
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk("IHDR", header),
    pngChunk("tEXt", toBytes(`Comment\0${text}`)),
    pngChunk("IDAT", deflateSync(new Uint8Array([0, 128]))),
    pngChunk("IEND", new Uint8Array()),
  );
}

/** The markers of a JPEG (JFIF), with a comment; not a picture. */
export function newJpeg(text = uniqueText()): Bytes {
  const comment = toBytes(text);
  return joinBytes(
    new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 16]),
    toBytes("JFIF\0"),
    new Uint8Array([1, 1, 0, 0, 1, 0, 1, 0, 0, 0xff, 0xfe, 0, comment.length + 2]),
    comment,
    new Uint8Array([0xff, 0xd9]),
  );
}

export type ZipEntry = {
  name: string;
  data: Uint8Array;
  /** What the directory says instead of what is true. */
  claimed?: { name?: string; size?: number; packedSize?: number; offset?: number; flags?: number };
};

export const DOCX_PARTS: ZipEntry[] = [
  { name: "[Content_Types].xml", data: toBytes("<Types/>") },
  { name: "word/document.xml", data: toBytes("<w:document/>") },
];

/** A ZIP archive. @param end changes of the end record: number of entries, size and offset of the directory */
export function newZip(entries: readonly ZipEntry[], end: { count?: number; size?: number; offset?: number } = {}): Bytes {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, data, claimed = {} } of entries) {
    const packed = deflateRawSync(data);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    local.writeUInt16LE(8, 8);
    local.writeUInt32LE(crc32(data), 14);
    local.writeUInt32LE(packed.length, 18);
    local.writeUInt32LE(data.length, 22);
    local.writeUInt16LE(Buffer.byteLength(name), 26);
    const shown = claimed.name ?? name;
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(claimed.flags ?? 0, 8);
    entry.writeUInt16LE(8, 10);
    entry.writeUInt32LE(crc32(data), 16);
    entry.writeUInt32LE(claimed.packedSize ?? packed.length, 20);
    entry.writeUInt32LE(claimed.size ?? data.length, 24);
    entry.writeUInt16LE(Buffer.byteLength(shown), 28);
    entry.writeUInt32LE(claimed.offset ?? at, 42);
    directory.push(entry, Buffer.from(shown));
    locals.push(local, Buffer.from(name), packed);
    at += 30 + Buffer.byteLength(name) + packed.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(end.count ?? entries.length, 8);
  record.writeUInt16LE(end.count ?? entries.length, 10);
  record.writeUInt32LE(end.size ?? size, 12);
  record.writeUInt32LE(end.offset ?? at, 16);
  return joinBytes(...locals, ...directory, record);
}

export const newDocx = (text = uniqueText(), more: readonly ZipEntry[] = []): Bytes =>
  newZip([...DOCX_PARTS, { name: "word/comments.xml", data: toBytes(text) }, ...more]);

type Fields = Record<string, string | undefined>;

export function documentForm(bytes: Bytes, { file_name = "letter.pdf", ...fields }: Fields = {}): FormData {
  const form = new FormData();
  // The declared type is wrong for most files: it has no effect.
  form.set("file", new File([bytes], file_name, { type: "application/octet-stream" }));
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, value);
  return form;
}

export const uploadDocument = (as: { token: string }, bytes: Bytes, fields: Fields = {}, options: RequestOptions = {}) =>
  sendRequest(`${API}/documents`, { as, body: documentForm(bytes, { type: "34109-9", ...fields }), ...options });

export function uploadVersion(
  as: { token: string },
  id: string,
  bytes: Bytes,
  ifMatch: string,
  fields: Fields = {},
  { headers, ...options }: RequestOptions = {},
) {
  const body = documentForm(bytes, fields);
  return sendRequest(`${API}/documents/${id}/versions`, { as, body, headers: { ...headers, "If-Match": ifMatch }, ...options });
}

/** The id of a new document of a patient. */
export async function newDocument(as: { token: string }, patientId: string, bytes: Bytes = newText()): Promise<string> {
  const response = await uploadDocument(as, bytes, { patient_id: patientId });
  if (response.status !== 201) throw new Error(`POST /documents: ${await response.text()}`);
  return (await readJson(response)).data.document_id;
}

export const markInError = (as: { token: string }, id: string, ifMatch = "*", reason = "Of another patient", env?: Env) =>
  sendRequest(`${API}/documents/${id}`, {
    as,
    method: "DELETE",
    json: { reason },
    headers: { "If-Match": ifMatch },
    ...(env && { env }),
  });
