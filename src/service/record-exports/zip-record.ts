// The ZIP of a record: JSON, PDF, the files of reports and documents, and a list of all with their SHA-256.
import { makeZip, predictLength } from "client-zip";
import type { Call } from "../../access/actor.ts";
import { fileRecordId as documentFileId } from "../../documents/reading/document.ts";
import { sha256Hex } from "../../platform/crypto.ts";
import { ApiError } from "../../platform/errors.ts";
import { type FileOwner, streamFile } from "../../platform/files.ts";
import { toIso } from "../../platform/time.ts";
import { fileRecordId as reportFileId } from "../../reports/upload/new-report.ts";
import type { Collected } from "./collect-record.ts";
import { MAX_FILE_BYTES } from "./record-export.ts";

type Entry = { name: string; size: number; sha256: string; open: () => Promise<AsyncIterable<Uint8Array>> };

const EXTENSIONS: Record<string, string> = {
  "application/pdf": "pdf",
  "application/json": "json",
  "image/jpeg": "jpg",
  "image/png": "png",
  "text/plain": "txt",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
};

export type ZipSource = { size: number; chunks: AsyncIterable<Uint8Array>; files: number };

/** Its exact size is known before the first byte. @throws ApiError export_too_large */
export async function zipRecord(
  call: Call,
  bucket: R2Bucket,
  { json, pdf, files }: { json: Uint8Array<ArrayBuffer>; pdf: Uint8Array<ArrayBuffer>; files: Collected["files"] },
): Promise<ZipSource> {
  const made = await Promise.all([ofBytes("record.json", json), ofBytes("record.pdf", pdf)]);
  const stored = [
    ...files.reports.map((row) => {
      const name = `reports/${day(row.effectiveAt)}-${row.kind}-${row.id}`;
      return ofFile(call, bucket, name, row, reportFileId(row.id));
    }),
    ...files.documents.map((row) => ofFile(call, bucket, `documents/${day(row.dateAt)}-${row.id}`, row, documentFileId(row.id))),
  ];
  const entries = [...made, ...stored];
  const list = entries.map(({ name, size, sha256 }) => ({ name, size, sha256 }));
  const manifest = await ofBytes(
    "manifest.json",
    new Uint8Array(new TextEncoder().encode(JSON.stringify({ files: list }, null, 2))),
  );
  const all = [...entries, manifest];
  const size = Number(predictLength(all.map(({ name, size }) => ({ name, size }))));
  if (size > MAX_FILE_BYTES) throw new ApiError("export_too_large");
  return { size, chunks: zipOf(all, call.now), files: all.length };
}

/** Opened one after another: a Worker has few connections at a time. */
async function* zipOf(entries: readonly Entry[], now: number): AsyncIterable<Uint8Array> {
  const lastModified = new Date(now);
  async function* inputs() {
    for (const { name, size, open } of entries) yield { name, size, lastModified, input: await open() };
  }
  for await (const chunk of makeZip(inputs())) yield chunk;
}

async function ofBytes(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<Entry> {
  async function* whole() {
    yield bytes;
  }
  return { name, size: bytes.length, sha256: await sha256Hex(bytes), open: async () => whole() };
}

type FileRow = { fileKey: string; fileSize: number; sha256: string; contentType: string };

function ofFile(call: Call, bucket: R2Bucket, path: string, row: FileRow, owner: FileOwner): Entry {
  const { fileKey, fileSize: size, sha256, contentType } = row;
  const open = async () => (await streamFile(bucket, call.keys.fields, fileKey, owner, size)).chunks;
  return { name: `${path}.${EXTENSIONS[contentType] ?? "bin"}`, size, sha256, open };
}

const day = (at: number) => toIso(at).slice(0, 10);
