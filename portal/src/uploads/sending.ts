// An upload on its way, as states: what is certain about it is said, and never more than that.
import { Problem, problemOf } from "../api/problem.ts";

export type Sending =
  | { status: "ready" }
  | { status: "sending"; percent: number }
  /** Every byte has left; the API has not answered. */
  | { status: "waiting" }
  /** Before the last byte had left: nothing was filed. */
  | { status: "stopped"; percent: number; cancelled: boolean }
  /** After the last byte had left: it may have been filed. Sending it again under its key files it once. */
  | { status: "unanswered" }
  | { status: "refused"; problem: Problem; again: boolean }
  | { status: "filed" | "duplicate"; reportId: string }
  | { status: "quarantined"; uploadId: string; reason: string | null };

export type Happened =
  | { type: "start" }
  | { type: "progress"; sent: number; total: number }
  | { type: "all_sent" }
  | { type: "cut" | "cancel" }
  | { type: "answer"; answer: Sending };

export const isUnderWay = ({ status }: Sending): boolean => status === "sending" || status === "waiting";
export const isOver = ({ status }: Sending): boolean => ["filed", "duplicate", "quarantined"].includes(status);

export function advance(state: Sending, happened: Happened): Sending {
  if (happened.type === "start") return isUnderWay(state) || isOver(state) ? state : { status: "sending", percent: 0 };
  // What an attempt says after it has ended is of no attempt any more.
  if (!isUnderWay(state)) return state;
  switch (happened.type) {
    case "progress":
      return state.status === "sending" ? { status: "sending", percent: percentOf(state, happened) } : state;
    case "all_sent":
      return { status: "waiting" };
    case "answer":
      return happened.answer;
    default:
      if (state.status === "waiting") return { status: "unanswered" };
      return {
        status: "stopped",
        percent: state.status === "sending" ? state.percent : 0,
        cancelled: happened.type === "cancel",
      };
  }
}

/** Never back, and 100 only when the last byte has left. */
function percentOf(state: { percent: number }, { sent, total }: { sent: number; total: number }): number {
  if (!(total > 0)) return state.percent;
  return Math.max(state.percent, Math.min(99, Math.floor((sent / total) * 100)));
}

/** Where the same request may well succeed, or it is not certain that nothing was done. */
const AGAIN: ReadonlySet<number> = new Set([401, 408, 429]);

/** What the API answered. */
export async function answerOf(status: number, text: string): Promise<Sending> {
  const body = parse(text);
  const data = field(body, "data");
  if (status >= 200 && status < 300) {
    const [reportId, uploadId, reason] = [field(data, "report_id"), field(data, "upload_id"), field(data, "reason")];
    if (field(data, "status") === "quarantined" && typeof uploadId === "string") {
      return { status: "quarantined", uploadId, reason: typeof reason === "string" ? reason : null };
    }
    if (typeof reportId === "string") {
      return { status: typeof field(data, "duplicate_of") === "string" ? "duplicate" : "filed", reportId };
    }
    return { status: "unanswered" };
  }
  const problem = status === 0 ? new Problem(0, "unreachable", "", null) : await problemOf({ status, json: async () => body });
  return { status: "refused", problem, again: status >= 500 || AGAIN.has(status) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
}

/** A key belongs to what is sent: sent again it is the same, changed it is another upload. */
export type Keyed = { key: string; of: string };
export function keyFor(draft: unknown, before: Keyed | null, newKey: () => string): Keyed {
  const of = JSON.stringify(draft);
  return before?.of === of ? before : { key: newKey(), of };
}
