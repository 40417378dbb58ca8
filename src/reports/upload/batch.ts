// Batch uploads: many files in one form, each processed, answered and logged like a single upload.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Call } from "../../access/actor.ts";
import { type FormPart, isMultipart, readForm, safeFileName } from "../../http/form-body.ts";
import { parseIdempotencyKey } from "../../http/idempotency.ts";
import { toApiError } from "../../http/on-error.ts";
import { parseJson } from "../../http/request-body.ts";
import { type AppEnv, validationError } from "../../http/router.ts";
import { ApiError, type FieldError } from "../../platform/errors.ts";
import { log } from "../../platform/log.ts";
import { receiveUpload } from "./upload.ts";
import { authorizeUploader } from "./upload-log.ts";
import { checkMetricsSize, DEFAULT_FILE_NAME, parseReportFields, type UploadRequest } from "./upload-request.ts";

export const MAX_BATCH_FILES = 100;
/** Bounds memory: each upload holds its file in plain and sealed form. D1 runs queries one at a time anyway. */
const BATCH_CONCURRENCY = 4;

/** Fields of one file. The other fields are validated per file, so that one invalid item does not fail the batch. */
const BatchItem = z.looseObject({
  idempotency_key: z.string().optional(),
  // Text is kept as it is; any other JSON is what the text would be.
  metrics: z.unknown().optional(),
});
type BatchItem = z.infer<typeof BatchItem>;
const BatchItems = z.array(BatchItem).max(MAX_BATCH_FILES);

/** A batch that ignored them would look protected from repetition and from changed bytes. */
const HEADERS_OF_ONE_FILE = ["Idempotency-Key", "X-Content-SHA256", "X-File-Name", "X-Report-Metrics"] as const;

export type BatchFile = { file: FormPart; item: BatchItem };

/** @throws ApiError invalid_request (no file, or more than 100), malformed_json, too_large, unsupported_media_type */
export async function readBatch(c: Context<AppEnv>): Promise<BatchFile[]> {
  const type = c.req.header("Content-Type") ?? "";
  if (c.req.header("Content-Encoding") || !isMultipart(type)) {
    throw new ApiError("unsupported_media_type", "Send multipart/form-data without Content-Encoding.");
  }
  const unused = HEADERS_OF_ONE_FILE.filter((name) => c.req.header(name) !== undefined);
  if (unused.length > 0) {
    const errors = unused.map((path) => ({ path, message: "Of a single upload only", code: "unknown_field" }));
    throw new ApiError("invalid_request", "A batch has idempotency_key and metrics in its items.", { errors });
  }
  const parts = await readForm(c, MAX_BATCH_FILES + 1);
  const files = parts.filter(({ name, isFile }) => name === "file" && isFile);
  const items = parts.filter(({ name }) => name === "items");
  if (files.length + items.length < parts.length || items.length > 1) {
    throw new ApiError("invalid_request", "Send each PDF as a part named file, and at most one part named items.");
  }
  if (files.length < 1 || files.length > MAX_BATCH_FILES) throw new ApiError("invalid_request", "Send 1 to 100 files.");
  const itemPerFile = items[0] === undefined ? files.map(() => ({})) : readItems(items[0].bytes);
  if (itemPerFile.length !== files.length) throw new ApiError("invalid_request", "Send one item per file, in the same order.");
  return files.map((file, i) => ({ file, item: itemPerFile[i] ?? {} }));
}

function readItems(bytes: Uint8Array): BatchItem[] {
  const parsed = BatchItems.safeParse(parseJson(bytes));
  if (!parsed.success) throw validationError(parsed.error);
  return parsed.data;
}

async function toUploadRequest({ file, item }: BatchFile): Promise<UploadRequest> {
  const { idempotency_key: _, metrics, ...fields } = item;
  const text = typeof metrics === "string" || metrics === undefined ? metrics : JSON.stringify(metrics);
  return {
    fields: parseReportFields(fields),
    fileName: safeFileName(file.fileName ?? "", DEFAULT_FILE_NAME),
    metrics: text === undefined ? null : checkMetricsSize(new TextEncoder().encode(text)),
    defaultKind: "ecg",
    isForm: true,
    bytes: file.bytes,
    announced: null,
  };
}

type BatchItemResult = {
  index: number;
  status: number;
  report_id: string | null;
  upload_id: string | null;
  duplicate_of: string | null;
  code: string | null;
  detail: string | null;
  errors: FieldError[];
};

async function receiveBatchFile(call: Call, env: Env, batchFile: BatchFile, index: number): Promise<BatchItemResult> {
  const emptyResult = { index, report_id: null, upload_id: null, duplicate_of: null, code: null, detail: null, errors: [] };
  try {
    const idempotencyKey = parseIdempotencyKey(call, "report.upload", batchFile.item.idempotency_key);
    const result = await receiveUpload(call, env.FILES, idempotencyKey, () => toUploadRequest(batchFile));
    const { status, uploadId: upload_id } = result;
    if (result.outcome === "quarantined") return { ...emptyResult, status, upload_id, code: result.reason };
    const { reportId } = result;
    return { ...emptyResult, status, upload_id, report_id: reportId, duplicate_of: status === 200 ? reportId : null };
  } catch (error) {
    const { status, code, publicDetail: detail, errors } = toApiError(error);
    if (status >= 500) log(env, "ERROR", "batch upload: file failed", { request_id: call.actor.via.requestId, code, status });
    return { ...emptyResult, status, code, detail, errors };
  }
}

/**
 * Processes every file with its own access check, log row and result. Callers without access are rejected before the
 * body is read.
 * @throws ApiError unauthenticated, forbidden, and what `read` throws
 */
export async function receiveBatch(call: Call, env: Env, read: () => Promise<BatchFile[]>): Promise<BatchItemResult[]> {
  await authorizeUploader(call);
  const queue = (await read()).entries();
  const results: BatchItemResult[] = [];
  const worker = async () => {
    for (const [index, batchFile] of queue) results[index] = await receiveBatchFile(call, env, batchFile, index);
  };
  await Promise.all(Array.from({ length: BATCH_CONCURRENCY }, worker));
  return results;
}
