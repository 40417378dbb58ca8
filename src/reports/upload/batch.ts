// Many files in one form: each is taken in, answered and logged as if it had come alone.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Call } from "../../access/actor.ts";
import { claimOf } from "../../http/idempotency.ts";
import { parseJson, readBody } from "../../http/request.ts";
import { type AppEnv, invalid } from "../../http/router.ts";
import { ApiError, type FieldError, toApiError } from "../../platform/errors.ts";
import { log } from "../../platform/log.ts";
import { FORM_OVERHEAD, type Incoming, MULTIPART_LIMIT, readAbout, readMetricsPart, safeFileName } from "./incoming.ts";
import { receiveUpload } from "./upload.ts";
import { askGate } from "./upload-log.ts";

export const MAX_FILES = 100;
/** As many at a time: each holds its file, sealed and not, and D1 answers one by one anyway. */
const LANES = 4;

/** What may be said about a file of the form; the other fields are judged file by file, so that none spoils the rest. */
const Item = z.looseObject({
  idempotency_key: z.string().optional(),
  metrics: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
});
type Item = z.infer<typeof Item>;
const Items = z.array(Item).max(MAX_FILES);

export type BatchFile = { file: File; item: Item };

/** @throws ApiError invalid_request (no file, or more than 100), malformed_json, too_large, unsupported_media_type */
export async function readBatch(c: Context<AppEnv>): Promise<BatchFile[]> {
  const type = c.req.header("Content-Type") ?? "";
  if (c.req.header("Content-Encoding") || !/^multipart\/form-data\s*;/i.test(type)) {
    throw new ApiError("unsupported_media_type", "Send multipart/form-data, unencoded.");
  }
  const body = await readBody(c, MULTIPART_LIMIT + FORM_OVERHEAD);
  const form = await new Response(body, { headers: { "Content-Type": type } }).formData().catch((cause: unknown) => {
    throw new ApiError("invalid_request", "The form is not well-formed.", { cause });
  });
  const files = form.getAll("file").filter((part) => part instanceof File);
  const items = form.getAll("items");
  if (files.length + items.length < [...form.keys()].length || items.length > 1) {
    throw new ApiError("invalid_request", "Send the PDFs as parts named file, and one part named items.");
  }
  if (files.length < 1 || files.length > MAX_FILES) throw new ApiError("invalid_request", "Send 1 to 100 files.");
  const said = items[0] === undefined ? files.map(() => ({})) : await readItems(items[0]);
  if (said.length !== files.length) throw new ApiError("invalid_request", "Send one item for each file, in the same order.");
  return files.map((file, i) => ({ file, item: said[i] ?? {} }));
}

async function readItems(part: File | string): Promise<Item[]> {
  const parsed = Items.safeParse(parseJson(new Uint8Array(await new Blob([part]).arrayBuffer())));
  if (!parsed.success) throw invalid(parsed.error);
  return parsed.data;
}

async function incomingOf({ file, item }: BatchFile): Promise<Incoming> {
  const { idempotency_key: _, metrics, ...fields } = item;
  const text = typeof metrics === "object" ? JSON.stringify(metrics) : metrics;
  return {
    about: readAbout(fields),
    fileName: safeFileName(file.name),
    metrics: text === undefined ? null : readMetricsPart(new TextEncoder().encode(text)),
    defaultKind: "ecg",
    form: true,
    bytes: new Uint8Array(await file.arrayBuffer()),
  };
}

type Answer = {
  index: number;
  status: number;
  report_id: string | null;
  upload_id: string | null;
  duplicate_of: string | null;
  code: string | null;
  detail: string | null;
  errors: FieldError[];
};

async function receiveOne(call: Call, env: Env, one: BatchFile, index: number): Promise<Answer> {
  const blank = { index, report_id: null, upload_id: null, duplicate_of: null, code: null, detail: null, errors: [] };
  try {
    const claim = claimOf(call, "report.upload", one.item.idempotency_key);
    const result = await receiveUpload(call, env.FILES, claim, () => incomingOf(one));
    const { status, uploadId: upload_id } = result;
    if (result.outcome === "quarantined") return { ...blank, status, upload_id, code: result.reason };
    const { reportId } = result;
    return { ...blank, status, upload_id, report_id: reportId, duplicate_of: status === 200 ? reportId : null };
  } catch (error) {
    const { status, code, told, errors } = toApiError(error);
    if (status >= 500) log(env, "ERROR", "a file of a batch failed", { request_id: call.actor.via.requestId, code, status });
    return { ...blank, status, code, detail: told, errors };
  }
}

/**
 * Every file has its own gate, its own log row and its own answer. Whom the gate does not know gets one answer, before
 * the body is read.
 * @throws ApiError unauthenticated, forbidden, and what `read` throws
 */
export async function receiveBatch(call: Call, env: Env, read: () => Promise<BatchFile[]>): Promise<Answer[]> {
  await askGate(call);
  const queue = (await read()).entries();
  const answers: Answer[] = [];
  const lane = async () => {
    for (const [index, one] of queue) answers[index] = await receiveOne(call, env, one, index);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return answers;
}
