// The steps of a document request so far: what is done, what is waited for, and where it stopped.
import type { DOCUMENT_REQUEST_STATES } from "../../../src/platform/db/vocabulary.ts";
import type { useTranslation } from "../platform/messages/translate.ts";

/** What the steps follow from. Times in ISO 8601. */
export type CourseRequest = {
  status: (typeof DOCUMENT_REQUEST_STATES)[number];
  direction: "in" | "out" | null;
  requesting_hospital: { name: string };
  created_at: string;
  decided_at: string | null;
  answered_at: string | null;
  ended_at: string | null;
  reason: string | null;
  document_ids: readonly string[];
};
/** `at`: ISO time; null where it is not known, undefined where there is none. */
export type CourseStep = {
  key: "asked" | "consent" | "answer" | "documents";
  state: "done" | "waiting" | "stopped" | "not_reached";
  text: string;
  at?: string | null;
};
type Translate = ReturnType<typeof useTranslation>;
type Part = Omit<CourseStep, "key">;

/** A person, who has no direction, reads of what they did themselves. */
export const whose = ({ direction }: CourseRequest) => (direction === null ? "my_step" : "step");

const NOT_REACHED: Part = { state: "not_reached", text: "" };

/** How a request ended at the step that was waited for; null where it goes on or ended by an answer. */
function endOf(request: CourseRequest, t: Translate): Part | null {
  const { status, ended_at, requesting_hospital } = request;
  if (status === "cancelled")
    return { state: "stopped", text: t("requests.step.cancelled", { hospital: requesting_hospital.name }), at: ended_at };
  if (status === "expired") return { state: "stopped", text: t("requests.step.expired"), at: ended_at };
  return status === "revoked" ? { state: "stopped", text: t(`requests.${whose(request)}.revoked`), at: ended_at } : null;
}

function consentOf(request: CourseRequest, until: string, t: Translate): Part {
  const { status, decided_at } = request;
  if (status === "requested") return { state: "waiting", text: until };
  if (status === "denied") return { state: "stopped", text: t(`requests.${whose(request)}.denied`), at: decided_at };
  if (decided_at === null) return endOf(request, t) ?? { state: "stopped", text: t(`requests.${whose(request)}.unanswered`) };
  return { state: "done", text: t(`requests.${whose(request)}.consented`), at: decided_at };
}

function answerOf(request: CourseRequest, until: string, t: Translate): Part {
  const { status, answered_at, reason } = request;
  if (status === "consented") return { state: "waiting", text: until };
  if (status === "rejected")
    return {
      state: "stopped",
      text: t("requests.step.rejected", { reason: reason ?? t("requests.unreadable") }),
      at: answered_at,
    };
  if (answered_at === null) return endOf(request, t) ?? NOT_REACHED;
  return { state: "done", text: t("requests.step.approved"), at: answered_at };
}

function documentsOf(request: CourseRequest, until: string, t: Translate): Part {
  const { status, document_ids, ended_at } = request;
  if (status === "approved") return { state: "waiting", text: until };
  if (status !== "fulfilled") return endOf(request, t) ?? NOT_REACHED;
  const n = document_ids.length;
  return { state: "done", text: n > 0 ? t("requests.step.shared", { n }) : t("requests.step.shared_before"), at: ended_at };
}

/** @param until the time at which a request that waits expires, formatted */
export function listCourse(request: CourseRequest, until: string, t: Translate): CourseStep[] {
  const waits = t("requests.step.until", { until });
  const parts: readonly (readonly [CourseStep["key"], Part])[] = [
    ["asked", { state: "done", text: request.requesting_hospital.name, at: request.created_at }],
    ["consent", consentOf(request, waits, t)],
    ["answer", answerOf(request, waits, t)],
    ["documents", documentsOf(request, waits, t)],
  ];
  const last = parts.findIndex(([, { state }]) => state === "waiting" || state === "stopped");
  return parts.map(([key, part], i) => ({ key, ...(last >= 0 && i > last ? NOT_REACHED : part) }));
}
