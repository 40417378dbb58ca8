// Reads an upload request: a multipart form (at most 10 MB, buffered) or a raw PDF (at most 25 MB, streamed).
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { bodyChunks, readBody } from "../../http/request.ts";
import { type AppEnv, invalid } from "../../http/router.ts";
import { DAY_MS } from "../../platform/counters.ts";
import { REPORT_KINDS } from "../../platform/db/vocabulary.ts";
import { ApiError } from "../../platform/errors.ts";
import { UUID } from "../../platform/ids.ts";
import type { ReportKind } from "./measures.ts";
import { MAX_METRICS } from "./metrics.ts";

export const MULTIPART_LIMIT = 10 * 1024 * 1024;
export const RAW_LIMIT = 25 * 1024 * 1024;
/** Room for the form's own lines around a file of exactly the limit. */
export const FORM_OVERHEAD = 128 * 1024;
const MAX_PARTS = 20;

/** What may be said about a report besides the file: form fields, or for a raw body the query. */
export const About = z.strictObject({
  patient_id: z.string().min(1).max(64).optional(),
  kind: z.enum(REPORT_KINDS).optional(),
  recorded_at: z.iso
    .datetime({ offset: true })
    .refine((time) => Date.parse(time) > 0 && Date.parse(time) < Date.now() + DAY_MS, "Not a time, or more than a day ahead")
    .optional(),
  session_type: z.string().trim().min(1).max(60).optional(),
  // A form sends text, JSON a number; nothing else is one.
  confidence: z
    .union([
      z.number(),
      z
        .string()
        .max(20)
        .regex(/^\d{1,2}(\.\d+)?$/, "A number from 0 to 1")
        .transform(Number),
    ])
    .pipe(z.number().min(0).max(1))
    .optional()
    .openapi({ type: "number", minimum: 0, maximum: 1 }),
  encounter_id: z.string().regex(UUID).max(36).optional(),
});
export type About = z.infer<typeof About>;

/** As large as one confirmation reads, hashes and seals well within a request's time. */
export const DIRECT_LIMIT = 100 * 1024 * 1024;
/** What is said before a file is sent directly. */
export const DirectUpload = About.extend({
  size: z.number().int().min(1).max(DIRECT_LIMIT).openapi({ description: "Bytes" }),
  sha256: z
    .string()
    .max(64)
    .regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits, lower case"),
  file_name: z.string().min(1).max(255).optional(),
  metrics: z.record(z.string(), z.unknown()).optional(),
});

export type Incoming = {
  about: About;
  fileName: string;
  metrics: Uint8Array | null;
  defaultKind: ReportKind;
} & (
  | { form: true; bytes: Uint8Array<ArrayBuffer> }
  | { form: false; chunks: AsyncIterable<Uint8Array>; size: number; sha256: string }
);

export function readMetricsPart(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_METRICS) throw new ApiError("too_large", "Metrics are at most 64 KiB.");
  return bytes;
}

/** What is given empty is not given: forms send every field they have. */
export function readAbout(fields: Record<string, unknown>): About {
  const given = Object.entries(fields).filter(([, value]) => value !== "");
  const parsed = About.safeParse(Object.fromEntries(given));
  if (!parsed.success) throw invalid(parsed.error);
  return parsed.data;
}

/** @throws ApiError unsupported_media_type, length_required, too_large, digest_required, invalid_request, length_mismatch */
export async function readIncoming(c: Context<AppEnv>, defaultKind: ReportKind): Promise<Incoming> {
  const type = c.req.header("Content-Type") ?? "";
  if (c.req.header("Content-Encoding")) throw new ApiError("unsupported_media_type", "Send the body unencoded.");
  if (/^application\/pdf\s*$/i.test(type)) return readRaw(c, defaultKind);
  if (/^multipart\/form-data\s*;/i.test(type)) return readForm(c, type, defaultKind);
  throw new ApiError("unsupported_media_type", "Send multipart/form-data, or application/pdf.");
}

function readRaw(c: Context<AppEnv>, defaultKind: ReportKind): Incoming {
  const announced = c.req.header("Content-Length");
  if (announced === undefined) throw new ApiError("length_required");
  const size = /^[0-9]{1,12}$/.test(announced) ? Number(announced) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw new ApiError("length_mismatch");
  if (size > RAW_LIMIT) throw new ApiError("too_large");
  const sha256 = (c.req.header("X-Content-SHA256") ?? "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw new ApiError("digest_required", "Send X-Content-SHA256 with 64 hexadecimal digits.");
  }
  const metrics = c.req.header("X-Report-Metrics");
  return {
    about: readAbout(c.req.query()),
    fileName: safeFileName(decodeName(c.req.header("X-File-Name") ?? "")),
    metrics: metrics === undefined ? null : readMetricsPart(new TextEncoder().encode(decodeName(metrics))),
    defaultKind,
    form: false,
    chunks: bodyChunks(c),
    size,
    sha256,
  };
}

/** Headers carry ASCII; other text comes percent-encoded. */
function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function readForm(c: Context<AppEnv>, type: string, defaultKind: ReportKind): Promise<Incoming> {
  const body = await readBody(c, MULTIPART_LIMIT + FORM_OVERHEAD);
  const form = await new Response(body, { headers: { "Content-Type": type } }).formData().catch((cause: unknown) => {
    throw new ApiError("invalid_request", "The form is not well-formed.", { cause });
  });
  const entries = [...form.entries()];
  if (entries.length > MAX_PARTS) throw new ApiError("invalid_request", "The form has too many parts.");
  if (new Set(entries.map(([name]) => name)).size < entries.length) {
    throw new ApiError("invalid_request", "A part of the form was given more than once.");
  }
  const file = form.get("file");
  if (!(file instanceof File)) {
    throw new ApiError("invalid_request", "Send the PDF as the part named file.", {
      errors: [{ path: "file", message: "Required", code: "required" }],
    });
  }
  if (file.size > MULTIPART_LIMIT) throw new ApiError("too_large");
  const metrics = form.get("metrics");
  const rest = entries.filter(([name]) => !["file", "metrics"].includes(name));
  return {
    about: readAbout({ ...c.req.query(), ...Object.fromEntries(rest) }),
    fileName: safeFileName(file.name),
    metrics: metrics === null ? null : readMetricsPart(new Uint8Array(await new Blob([metrics]).arrayBuffer())),
    defaultKind,
    form: true,
    bytes: new Uint8Array(await file.arrayBuffer()),
  };
}

/** The last part of the path, without what could split a header, hide an extension or leave a folder. */
export function safeFileName(name: string): string {
  const base = name.toWellFormed().normalize("NFC").split(/[/\\]/).at(-1) ?? "";
  const kept = Array.from(base)
    .filter((ch) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}"]/u.test(ch))
    .slice(0, 120)
    .join("")
    .trim();
  return /^\.*$/.test(kept) ? "report.pdf" : kept;
}
