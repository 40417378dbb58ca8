// Parsing of upload requests: a multipart form (at most 10 MiB, buffered) or a raw PDF (at most 25 MiB, streamed).

import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { isMultipart, readForm, safeFileName, toTextFields } from "../../http/form-body.ts";
import { MeasuredAtInput } from "../../http/measured-at.ts";
import { streamBody } from "../../http/request-body.ts";
import { type AppEnv, Id, PatientRef, validationError } from "../../http/router.ts";
import { REPORT_KINDS } from "../../platform/db/vocabulary.ts";
import { ApiError } from "../../platform/errors.ts";
import type { ReportKind } from "./metric-ranges.ts";
import { MAX_METRICS_BYTES } from "./metrics.ts";

export const MAX_RAW_BYTES = 25 * 1024 * 1024;
const MAX_FORM_PARTS = 20;
/** Of a file that comes without a name. */
export const DEFAULT_FILE_NAME = "report.pdf";

/** Fields of a report besides the file: form fields, or query parameters for a raw body. */
export const ReportFields = z.strictObject({
  patient_id: PatientRef.optional(),
  kind: z.enum(REPORT_KINDS).optional(),
  // What an unclear time means depends on the sender (destination.ts): a device's file goes to quarantine.
  recorded_at: MeasuredAtInput.optional(),
  session_type: z.string().trim().min(1).max(60).optional(),
  // A number in JSON, text in a form.
  confidence: z
    .union([
      z.number(),
      z
        .string()
        .max(20)
        .regex(/^\d{1,2}(\.\d+)?$/, "Must be a number from 0 to 1")
        .transform(Number),
    ])
    .pipe(z.number().min(0).max(1))
    .optional()
    .openapi({ type: "number", minimum: 0, maximum: 1 }),
});
/** Fields of stored uploads: before encounters were refused, any id was accepted as one. */
export const StoredReportFields = ReportFields.extend({ encounter_id: Id.optional() });
export type ReportFields = z.infer<typeof ReportFields>;

/** The confirmation reads, hashes and seals the whole file within one request. */
export const MAX_DIRECT_BYTES = 100 * 1024 * 1024;
/** The request that begins a direct upload. */
export const DirectUploadInput = ReportFields.extend({
  size: z.number().int().min(1).max(MAX_DIRECT_BYTES).openapi({ description: "Bytes" }),
  sha256: z
    .string()
    .max(64)
    .regex(/^[0-9a-f]{64}$/, "Must be 64 lower-case hexadecimal digits"),
  file_name: z.string().min(1).max(255).optional(),
  // Anything is kept as sent, as in a form.
  metrics: z
    .unknown()
    .optional()
    .openapi({ type: "object", additionalProperties: true, description: "As in a form; at most 64 KiB" }),
});

export type UploadRequest = {
  fields: ReportFields;
  fileName: string;
  metrics: Uint8Array | null;
  defaultKind: ReportKind;
} /** `announced`: the SHA-256 that the sender gave, if any. */ & (
  | { isForm: true; bytes: Uint8Array<ArrayBuffer>; announced: string | null }
  | { isForm: false; chunks: AsyncIterable<Uint8Array>; size: number; sha256: string }
);

export function checkMetricsSize(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_METRICS_BYTES) throw new ApiError("too_large", "Metrics are at most 64 KiB.");
  return bytes;
}

/** Ignores empty values, because forms send every field that they have. */
export function parseReportFields(fields: Record<string, unknown>): ReportFields {
  const given = Object.entries(fields).filter(([, value]) => value !== "");
  const parsed = ReportFields.safeParse(Object.fromEntries(given));
  if (!parsed.success) throw validationError(parsed.error);
  return parsed.data;
}

/** @throws ApiError unsupported_media_type, length_required, too_large, digest_required, invalid_request, length_mismatch */
export async function readUploadRequest(
  c: Context<AppEnv>,
  defaultKind: ReportKind,
  takesForms: boolean,
): Promise<UploadRequest> {
  const type = c.req.header("Content-Type") ?? "";
  if (c.req.header("Content-Encoding")) throw new ApiError("unsupported_media_type", "Send the body without Content-Encoding.");
  if (/^application\/pdf\s*$/i.test(type)) return readRawUpload(c, defaultKind);
  if (takesForms && isMultipart(type)) return readFormUpload(c, defaultKind);
  throw new ApiError("unsupported_media_type", takesForms ? "Send multipart/form-data." : "Send application/pdf.");
}

function readRawUpload(c: Context<AppEnv>, defaultKind: ReportKind): UploadRequest {
  const contentLength = c.req.header("Content-Length");
  if (contentLength === undefined) throw new ApiError("length_required");
  const size = /^[0-9]{1,12}$/.test(contentLength) ? Number(contentLength) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw new ApiError("length_mismatch");
  if (size > MAX_RAW_BYTES) throw new ApiError("too_large");
  const sha256 = readDigest(c);
  const metrics = c.req.header("X-Report-Metrics");
  return {
    fields: parseReportFields(c.req.query()),
    fileName: safeFileName(decodeHeaderText(c.req.header("X-File-Name") ?? ""), DEFAULT_FILE_NAME),
    metrics: metrics === undefined ? null : checkMetricsSize(new TextEncoder().encode(decodeHeaderText(metrics))),
    defaultKind,
    isForm: false,
    chunks: streamBody(c),
    size,
    sha256,
  };
}

/** @throws ApiError digest_required for a header that is absent or no SHA-256 */
function readDigest(c: Context<AppEnv>): string {
  const sha256 = (c.req.header("X-Content-SHA256") ?? "").toLowerCase();
  if (/^[0-9a-f]{64}$/.test(sha256)) return sha256;
  throw new ApiError("digest_required", "Send X-Content-SHA256 with 64 hexadecimal digits.");
}

/** Decodes percent-encoded header text; returns malformed text unchanged. */
function decodeHeaderText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Headers that describe a raw body, where a form has parts. */
const RAW_HEADERS = ["X-File-Name", "X-Report-Metrics"] as const;

async function readFormUpload(c: Context<AppEnv>, defaultKind: ReportKind): Promise<UploadRequest> {
  const unused = RAW_HEADERS.filter((name) => c.req.header(name) !== undefined);
  if (unused.length > 0) {
    const errors = unused.map((path) => ({ path, message: "Of a raw PDF only: a form has parts", code: "unknown_field" }));
    throw new ApiError("invalid_request", "A form has its file name and metrics in its parts.", { errors });
  }
  const announced = c.req.header("X-Content-SHA256") === undefined ? null : readDigest(c);
  const parts = await readForm(c, MAX_FORM_PARTS);
  const partByName = new Map(parts.map((part) => [part.name, part]));
  if (partByName.size < parts.length) throw new ApiError("invalid_request", "The form contains a part more than once.");
  const file = partByName.get("file");
  if (!file?.isFile) {
    throw new ApiError("invalid_request", "Send the PDF as the part named file.", {
      errors: [{ path: "file", message: "Required", code: "required" }],
    });
  }
  const metrics = partByName.get("metrics");
  const fields = toTextFields(parts.filter(({ name }) => !["file", "metrics"].includes(name)));
  const query = c.req.query();
  const repeated = Object.keys(query).filter((name) => Object.hasOwn(fields, name));
  if (repeated.length > 0) {
    const errors = repeated.map((path) => ({ path, message: "In the form and in the query", code: "repeated" }));
    throw new ApiError("invalid_request", "A field is in the form and in the query.", { errors });
  }
  return {
    fields: parseReportFields({ ...query, ...fields }),
    fileName: safeFileName(file.fileName ?? "", DEFAULT_FILE_NAME),
    metrics: metrics === undefined ? null : checkMetricsSize(metrics.bytes),
    defaultKind,
    isForm: true,
    bytes: file.bytes,
    announced,
  };
}
