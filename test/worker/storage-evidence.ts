// Evidence of uploads: rows of the upload log, objects in the bucket, and whether the two agree.
import { getKeys } from "../../src/platform/config.ts";
import { streamFile } from "../../src/platform/files.ts";
import { fileRecordId } from "../../src/reports/upload/new-report.ts";
import { env, sha256, uploadForm } from "../world.ts";

export type UploadRow = {
  id: string;
  outcome: string;
  reason: string | null;
  report_id: string | null;
  patient_id: string | null;
  hospital_id: string | null;
  sha256: string | null;
  file_key: string | null;
};

/** The upload log rows of one request. */
export async function readUploadRows(response: Response): Promise<UploadRow[]> {
  const { results } = await env.DB.prepare("SELECT * FROM uploads WHERE request_id = ?")
    .bind(response.headers.get("x-request-id"))
    .all<UploadRow>();
  return results;
}

/** Every object of reports, uploads and documents. Blocks of vital signs are named in their patients' objects, which write them at any time. */
/** Files that no row of reports or uploads names: archived samples, packed hours, and segments and trees of audit logs. */
const OTHER_FILES = /^(f1\/vitals|f1\/hours|audit|tlog)\//;

export async function listStoredKeys(): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await env.FILES.list(cursor ? { cursor } : {});
    keys.push(...page.objects.map((object) => object.key).filter((key) => !OTHER_FILES.test(key)));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  return keys;
}

/** Every key in a row. */
export async function listReferencedKeys(): Promise<string[]> {
  // D1 takes five terms in a compound SELECT.
  const lists = await env.DB.batch<{ key: string | null }>([
    env.DB.prepare("SELECT file_key AS key FROM reports UNION SELECT metrics_key FROM reports"),
    env.DB.prepare("SELECT file_key AS key FROM documents UNION SELECT file_key FROM uploads"),
    env.DB.prepare("SELECT file_key AS key FROM record_exports UNION SELECT content_key FROM report_versions"),
  ]);
  return [...new Set(lists.flatMap(({ results }) => results.flatMap(({ key }) => key ?? [])))];
}

/** Every row must have its blob. @returns the number of report rows whose decrypted bytes have the stated hash */
export async function verifyEveryReport(): Promise<number> {
  const { results } = await env.DB.prepare("SELECT id, file_key, file_size, sha256 FROM reports").all<{
    id: string;
    file_key: string;
    file_size: number;
    sha256: string;
  }>();
  const { fields } = await getKeys(env);
  for (const row of results) {
    const { chunks } = await streamFile(env.FILES, fields, row.file_key, fileRecordId(row.id), row.file_size);
    const bytes = new Uint8Array(await new Blob(await Array.fromAsync(chunks)).arrayBuffer());
    if ((await sha256(bytes)) !== row.sha256) throw new Error(`report ${row.id} does not have the bytes its row tells of`);
  }
  return results.length;
}

export async function countRows(
  table: "reports" | "uploads" | "idempotency_keys" | "patients" | "audit_staged",
): Promise<number> {
  const statements = {
    reports: env.DB.prepare("SELECT count(*) AS n FROM reports"),
    uploads: env.DB.prepare("SELECT count(*) AS n FROM uploads"),
    idempotency_keys: env.DB.prepare("SELECT count(*) AS n FROM idempotency_keys"),
    patients: env.DB.prepare("SELECT count(*) AS n FROM patients"),
    audit_staged: env.DB.prepare("SELECT count(*) AS n FROM audit_staged"),
  };
  return (await statements[table].first<{ n: number }>())?.n ?? 0;
}

export async function listReportIds(patientId: string): Promise<string[]> {
  const rows = await env.DB.prepare("SELECT id FROM reports WHERE patient_id = ?").bind(patientId).all<{ id: string }>();
  return rows.results.map(({ id }) => id);
}

const encoder = new TextEncoder();

export type Part = { headers: string[]; body: string | Uint8Array };

/** A handwritten multipart body, for forms that no library produces. */
export function buildMultipart(boundary: string, parts: Part[], close = true): Uint8Array<ArrayBuffer> {
  const chunks = parts.flatMap(({ headers, body }) => [
    encoder.encode(`--${boundary}\r\n${headers.join("\r\n")}\r\n\r\n`),
    typeof body === "string" ? encoder.encode(body) : body,
    encoder.encode("\r\n"),
  ]);
  if (close) chunks.push(encoder.encode(`--${boundary}--\r\n`));
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

export const createFilePart = (pdf: Uint8Array, name = 'filename="ecg.pdf"'): Part => ({
  headers: [`Content-Disposition: form-data; name="file"; ${name}`, "Content-Type: application/pdf"],
  body: pdf,
});

/** The same form as bytes with its content type, for tests that change the headers. */
export async function encodeForm(pdf: Uint8Array<ArrayBuffer>, fields: Record<string, string> = {}) {
  const response = new Response(uploadForm(pdf, fields));
  return { type: response.headers.get("content-type") ?? "", bytes: new Uint8Array(await response.arrayBuffer()) };
}

/** Deletes files that no row names, such as those of refused uploads: other test files share the bucket. */
export async function deleteUnreferencedFiles(): Promise<void> {
  const named = new Set(await listReferencedKeys());
  await env.FILES.delete((await listStoredKeys()).filter((key) => !named.has(key)));
}
