// Loading, error and empty states of queries.
import { Button, Loader } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";
import { isTemporary } from "../api/back-off.ts";
import { type Problem, toProblem } from "../api/problem.ts";
import { type PlainMessageKey, useTranslation } from "../messages/translate.ts";
import layout from "./layout.module.css";
import { useBackOff } from "./old-data.tsx";
import classes from "./states.module.css";

const SLOW_LOAD_MS = 5_000;

export function Loading() {
  const t = useTranslation();
  const [isSlow, setIsSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsSlow(true), SLOW_LOAD_MS);
    return () => clearTimeout(timer);
  }, []);
  const backOff = useBackOff();
  // Read again by itself; the banner says when.
  if (backOff) {
    return (
      <div className={classes.state} role="status">
        <p>{t(backOff.code === "rate_limited" ? "common.busy" : "shell.unreachable")}</p>
      </div>
    );
  }
  return (
    <div className={classes.state} role="status">
      <Loader size="sm" aria-hidden />
      {t(isSlow ? "common.still_loading" : "common.loading")}
    </div>
  );
}

/** Request id that a user quotes; finds the log line. */
export function ErrorId({ problem }: { problem: Problem }) {
  const t = useTranslation();
  return problem.errorId ? <code className={classes.id}>{t("common.error_id", { id: problem.errorId })}</code> : null;
}

export function LoadError({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const t = useTranslation();
  const problem = toProblem(error);
  if (isNoAccess(problem)) return <NoAccess problem={problem} />;
  return (
    <div className={classes.state} role="alert">
      <p>{t(loadErrorMessage(problem))}</p>
      <ErrorId problem={problem} />
      {retry && (
        <Button variant="default" onClick={retry}>
          {t("common.try_again")}
        </Button>
      )}
    </div>
  );
}

function loadErrorMessage({ code, status }: Problem): PlainMessageKey {
  if (code === "unreachable") return "shell.unreachable";
  if (code === "unexpected") return "common.unexpected";
  if (code === "step_up_required") return "factors.step_up_not_done";
  return status === 429 ? "common.busy" : "common.failed";
}

export function NoAccess({ problem }: { problem?: Problem }) {
  const t = useTranslation();
  return (
    <div className={classes.state}>
      <p>{t("common.no_access")}</p>
      {problem && <ErrorId problem={problem} />}
      <a href="/">{t("common.to_start")}</a>
    </div>
  );
}

/** Why what is shown could not be read again. What is temporary is said once for the screen (old-data.tsx). */
export function RefetchError({ error }: { error: unknown }) {
  return isTemporary(error) ? null : <ActionError error={error} />;
}

/** Why a change failed; shown until the next attempt. */
export function ActionError({ error }: { error: unknown }) {
  const t = useTranslation();
  if (!error) return null;
  const problem = toProblem(error);
  return (
    <div className={layout.alert} role="alert">
      <p>{actionErrorMessage(problem, t)}</p>
      <ErrorId problem={problem} />
    </div>
  );
}

function actionErrorMessage({ code, status, message }: Problem, t: ReturnType<typeof useTranslation>): string {
  if (code === "unreachable") return t("common.no_answer");
  if (code === "unexpected") return t("common.unexpected_change");
  if (code === "step_up_required") return t("factors.step_up_not_done");
  if (status === 429 && code === "rate_limited") return t("common.slow_down");
  return code === "precondition_failed" ? t("common.changed_meanwhile") : t("common.not_done", { detail: message });
}

export function EmptyState({ children }: { children?: ReactNode }) {
  const t = useTranslation();
  return <div className={classes.state}>{children ?? t("common.nothing")}</div>;
}

type QueryState<T> = { data: T | undefined; error: unknown; isPending: boolean; refetch?: () => unknown };

/** Whether what a query has read is closed to the user by now: not there any more, or not theirs to see. */
export const isClosed = ({ error }: { error: unknown }): boolean => error !== null && isNoAccess(toProblem(error));
const isNoAccess = ({ status }: Problem): boolean => status === 403 || status === 404;

/** States of one query: loading, error with retry, or data. Data stays visible when a later refetch fails, unless it is closed. */
export function QueryBoundary<T>({ query, children }: { query: QueryState<T>; children: (data: T) => ReactNode }) {
  if (query.data !== undefined && !isClosed(query)) return children(query.data);
  if (query.error) return <LoadError error={query.error} retry={query.refetch && (() => query.refetch?.())} />;
  return <Loading />;
}
