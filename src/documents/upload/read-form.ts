// Forms with a document: the file and its fields.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { isMultipart, type LargeFormPart, readLargeForm, safeFileName, toTextFields } from "../../http/form-body.ts";
import { MeasuredAtInput } from "../../http/measured-at.ts";
import { type AppEnv, PatientRef, validationError } from "../../http/router.ts";
import type { ChunkedBytes } from "../../platform/chunked-bytes.ts";
import { ApiError } from "../../platform/errors.ts";
import { DOCUMENT_TYPE_CODES } from "../document-types.ts";

export const MAX_DOCUMENT_BYTES = 25 * 1024 * 1024;
const MAX_FORM_PARTS = 10;
const DEFAULT_FILE_NAME = "document";

const Line = z.string().trim().min(1).max(200);
const Type = z.enum(DOCUMENT_TYPE_CODES).openapi({ description: "LOINC code", example: "18842-5" });
const DateInput = MeasuredAtInput.openapi({
  description: "Time that the document is about; by default now. Without a zone, a local time of the hospital.",
});

export const DocumentFields = z.strictObject({
  patient_id: PatientRef.optional().openapi({ description: "Required for staff; a patient's own record by default" }),
  type: Type,
  date: DateInput.optional(),
  title: Line.optional().openapi({ description: "By default the name of the type" }),
  author: Line.optional().openapi({ description: "Who wrote the document", example: "Dr. Meera Rao" }),
});
export type DocumentFields = z.infer<typeof DocumentFields>;

/** Of a new version. Fields that are absent stay as they are in the version before. */
export const VersionFields = z.strictObject({
  type: Type.optional(),
  date: DateInput.optional(),
  title: Line.optional(),
  author: z.string().trim().max(200).optional().openapi({ description: "Empty: not named", example: "Dr. Meera Rao" }),
});
export type VersionFields = z.infer<typeof VersionFields>;

export type DocumentForm<F> = { fields: F; fileName: string; file: ChunkedBytes };

/** @param clearable fields whose empty value counts  @throws ApiError unsupported_media_type, too_large, invalid_request, length_mismatch, request_timeout, unavailable */
export async function readDocumentForm<F>(
  c: Context<AppEnv>,
  schema: z.ZodType<F>,
  clearable: readonly string[] = [],
): Promise<DocumentForm<F>> {
  if (c.req.header("Content-Encoding") !== undefined || !isMultipart(c.req.header("Content-Type") ?? "")) {
    throw new ApiError("unsupported_media_type", "Send multipart/form-data without Content-Encoding.");
  }
  const parts = await readLargeForm(c, MAX_FORM_PARTS, MAX_DOCUMENT_BYTES);
  const names = parts.map(({ name }) => name);
  if (new Set(names).size < names.length) throw new ApiError("invalid_request", "The form contains a part more than once.");
  const file = parts.find(({ name, isFile }) => name === "file" && isFile);
  if (!file) {
    throw new ApiError("invalid_request", "Send the file as the part named file.", {
      errors: [{ path: "file", message: "Required", code: "required" }],
    });
  }
  const fields = parseFields(
    parts.filter((part) => part !== file),
    schema,
    clearable,
  );
  return { fields, fileName: safeFileName(file.fileName ?? "", DEFAULT_FILE_NAME), file: file.content };
}

/** Ignores other empty values, because forms send every field that they have. */
function parseFields<F>(parts: LargeFormPart[], schema: z.ZodType<F>, clearable: readonly string[]): F {
  const given = Object.entries(toTextFields(parts)).filter(([name, value]) => value !== "" || clearable.includes(name));
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (!parsed.success) throw validationError(parsed.error);
  return parsed.data;
}
