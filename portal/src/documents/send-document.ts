// Uploads a document or a new version of one. The key makes a repeated upload of the same content harmless.
import { formatEtag } from "../platform/api/client.ts";
import { type FieldError, Problem, parseProblem } from "../platform/api/problem.ts";
import { sendUpload, type UploadRequest, type UploadResponse } from "../platform/api/send-upload.ts";
import { type PlainMessageKey, t } from "../platform/messages/translate.ts";
import { formatFileSize } from "../reports/file-size.ts";
import { getUploadPercent } from "../reports/upload/upload-state.ts";
import { isOutdated } from "./api.ts";
import { type Destination, type DocumentFormFields, MAX_FILE_BYTES } from "./document-draft.ts";

export type DocumentUpload = { file: File; fields: DocumentFormFields; destination: Destination };
export type StoredDocument = { documentId: string; isDuplicate: boolean };

/**
 * @param onPercent 100: all is sent, and there is no response yet
 * @throws Problem whose message says what is known to be stored
 */
export function sendDocument(
  upload: DocumentUpload,
  key: string,
  onPercent: (percent: number) => void,
  signal: AbortSignal,
): Promise<StoredDocument> {
  return new Promise((resolve, reject) => {
    let percent = 0;
    const showPercent = (next: number) => {
      percent = next;
      onPercent(percent);
    };
    showPercent(0);
    const cancel = sendUpload(async () => buildRequest(upload), key, {
      onProgress: (sent, total) => showPercent(getUploadPercent(percent, sent, total)),
      onAllSent: () => showPercent(100),
      onResponse: (response) => void readStored(response).then(resolve, reject),
      onEnd: () => reject(percent < 100 ? stoppedAt(percent) : unanswered()),
    });
    signal.addEventListener("abort", cancel, { once: true });
  });
}

function buildRequest({ file, fields, destination }: DocumentUpload): UploadRequest {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  body.set("file", file);
  if ("patientId" in destination) return { path: "/documents", headers: {}, body };
  const { document_id, version } = destination.replaces;
  return { path: `/documents/${document_id}/versions`, headers: { "If-Match": formatEtag(version) }, body };
}

const stoppedAt = (n: number) => new Problem(0, "upload_stopped", t("documents.stopped_at", { n }), null);
const unanswered = () => new Problem(0, "upload_unanswered", t("documents.unanswered"), null);

async function readStored({ status, text, headers }: UploadResponse): Promise<StoredDocument> {
  // A response that cannot be read counts as none.
  if (status < 200 || status >= 300) {
    const json = async (): Promise<unknown> => JSON.parse(text);
    throw explainRefusal(await parseProblem({ status, headers, json }));
  }
  const stored = readDocument(text);
  if (!stored) throw unanswered();
  return stored;
}

function readDocument(text: string): StoredDocument | null {
  try {
    const { data } = JSON.parse(text) as { data: { document_id: string; duplicate_of: string | null } };
    return { documentId: data.duplicate_of ?? data.document_id, isDuplicate: data.duplicate_of !== null };
  } catch {
    return null;
  }
}

const REFUSALS: Readonly<Record<string, PlainMessageKey>> = {
  limit_reached: "documents.refused.limit_reached",
  quota_exceeded: "documents.refused.quota_exceeded",
  storage_full: "documents.refused.storage_full",
  forbidden: "documents.refused.forbidden",
  not_found: "documents.refused.not_found",
  request_timeout: "documents.refused.request_timeout",
  length_mismatch: "documents.refused.length_mismatch",
  unauthenticated: "documents.refused.unauthenticated",
  idempotency_key_reused: "documents.refused.idempotency_key_reused",
};

/** The problem with its text in the user's language, and at the field that caused it. */
function explainRefusal(problem: Problem): Problem {
  const { status, code, message, errorId, retryAfterMs } = problem;
  const explained = (text: string, errors: readonly FieldError[] = [], newCode = code) =>
    new Problem(status, newCode, text, errorId, errors, {}, retryAfterMs);
  const atFile = (text: string) => explained(text, [{ path: "file", message: text, code }]);
  if (code === "unsupported_document") return atFile(t("documents.fault.unsupported"));
  if (code === "too_large") return atFile(t("documents.fault.too_large", { size: formatFileSize(MAX_FILE_BYTES) }));
  if (isOutdated(problem)) return explained(t("documents.outdated_version"), [], "document_outdated");
  if (status >= 500) return explained(t("documents.failed_unclear"));
  const dateError = problem.errors.find(({ path }) => path === "date");
  if (dateError) return explained(message, [{ ...dateError, message: t("documents.date_wrong") }]);
  const refusal = REFUSALS[code];
  return refusal ? explained(t(refusal)) : problem;
}
