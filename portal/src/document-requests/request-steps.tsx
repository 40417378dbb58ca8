// The steps of a document request as a list.
import { formatDateTime } from "../platform/design/format.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import type { DocumentRequest } from "./api.ts";
import { type CourseStep, listCourse, whose } from "./request-course.ts";
import classes from "./requests.module.css";

const MARKS = { done: "✓", waiting: "…", stopped: "✕", not_reached: "–" } as const;

export function RequestSteps({ request, zone }: { request: DocumentRequest; zone: string | undefined }) {
  const t = useTranslation();
  return (
    <ol className={classes.steps}>
      {listCourse(request, formatDateTime(request.expires_at, zone), t).map((step) => (
        <StepItem key={step.key} request={request} step={step} zone={zone} />
      ))}
    </ol>
  );
}

type StepProps = { request: DocumentRequest; step: CourseStep; zone: string | undefined };

function StepItem({ request, step: { key, state, text, at }, zone }: StepProps) {
  const t = useTranslation();
  return (
    <li data-state={state} aria-current={state === "waiting" ? "step" : undefined}>
      <span className={classes.mark} aria-hidden="true">
        {MARKS[state]}
      </span>
      <div>
        <strong>{key === "consent" ? t(`requests.${whose(request)}.consent`) : t(`requests.step.${key}`)}</strong> ·{" "}
        {t(`requests.${state}`)}
        {text !== "" && <p>{text}</p>}
        {at !== undefined && (
          <p className={classes.when}>{at === null ? t("requests.unknown_time") : formatDateTime(at, zone)}</p>
        )}
      </div>
    </li>
  );
}
