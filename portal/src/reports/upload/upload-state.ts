// State machine of an upload; it never claims more than is certain.
import { Problem, parseProblem } from "../../platform/api/problem.ts";

export type UploadState =
  | { status: "ready" }
  | { status: "sending"; percent: number }
  /** All bytes are sent; no response yet. */
  | { status: "waiting" }
  /** Stopped before the last byte: nothing was filed. */
  | { status: "stopped"; percent: number; cancelled: boolean }
  /** Stopped after the last byte: it may have been filed. A retry with the same key files it once. */
  | { status: "unanswered" }
  | { status: "refused"; problem: Problem; canRetry: boolean }
  | { status: "filed" | "duplicate"; reportId: string }
  | { status: "quarantined"; uploadId: string; reason: string | null };

export type UploadEvent =
  | { type: "start" }
  | { type: "progress"; sent: number; total: number }
  | { type: "all_sent" }
  | { type: "cut" | "cancel" }
  | { type: "answer"; answer: UploadState };

export const isInProgress = ({ status }: UploadState): boolean => status === "sending" || status === "waiting";
export const isFinished = ({ status }: UploadState): boolean => ["filed", "duplicate", "quarantined"].includes(status);

export function reduceUpload(state: UploadState, event: UploadEvent): UploadState {
  if (event.type === "start") return isInProgress(state) || isFinished(state) ? state : { status: "sending", percent: 0 };
  // Events of an attempt that has ended are ignored.
  if (!isInProgress(state)) return state;
  switch (event.type) {
    case "progress":
      return state.status === "sending"
        ? { status: "sending", percent: getUploadPercent(state.percent, event.sent, event.total) }
        : state;
    case "all_sent":
      return { status: "waiting" };
    case "answer":
      return event.answer;
    default:
      if (state.status === "waiting") return { status: "unanswered" };
      return {
        status: "stopped",
        percent: state.status === "sending" ? state.percent : 0,
        cancelled: event.type === "cancel",
      };
  }
}

/** Of the bytes sent; it never decreases, and 100 is left to the last byte. */
export function getUploadPercent(previous: number, sent: number, total: number): number {
  if (!(total > 0)) return previous;
  return Math.max(previous, Math.min(99, Math.floor((sent / total) * 100)));
}

/** Whether a retry may succeed, or the result of the request is unknown. */
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([401, 408, 429]);

/** Maps the API's response to a state. */
export async function parseResponse(status: number, text: string): Promise<UploadState> {
  const body = parseJson(text);
  const data = readField(body, "data");
  if (status >= 200 && status < 300) {
    const [reportId, uploadId, reason] = [readField(data, "report_id"), readField(data, "upload_id"), readField(data, "reason")];
    if (readField(data, "status") === "quarantined" && typeof uploadId === "string") {
      return { status: "quarantined", uploadId, reason: typeof reason === "string" ? reason : null };
    }
    if (typeof reportId === "string") {
      return { status: typeof readField(data, "duplicate_of") === "string" ? "duplicate" : "filed", reportId };
    }
    return { status: "unanswered" };
  }
  const problem = status === 0 ? new Problem(0, "unreachable", "", null) : await parseProblem({ status, json: async () => body });
  return { status: "refused", problem, canRetry: status >= 500 || RETRYABLE_STATUSES.has(status) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function readField(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
}

/** The key belongs to the content: a retry reuses it, changed content gets a new one. */
export type UploadKey = { key: string; of: string };
export function getUploadKey(draft: unknown, previous: UploadKey | null, newKey: () => string): UploadKey {
  const of = JSON.stringify(draft);
  return previous?.of === of ? previous : { key: newKey(), of };
}
