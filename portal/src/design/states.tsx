// What is shown while something loads, when it failed, and when there is nothing.
import { Button, Loader } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";
import { asProblem, type Problem } from "../api/problem.ts";
import { type PlainKey, useSay } from "../messages/index.ts";
import layout from "./layout.module.css";
import classes from "./states.module.css";

const LONG_MS = 5_000;

export function Loading() {
  const say = useSay();
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), LONG_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className={classes.state} role="status">
      <Loader size="sm" aria-hidden />
      {say(long ? "common.still_loading" : "common.loading")}
    </div>
  );
}

/** The id that a person quotes and that finds the log line. */
export function ErrorId({ problem }: { problem: Problem }) {
  const say = useSay();
  return problem.errorId ? <code className={classes.id}>{say("common.error_id", { id: problem.errorId })}</code> : null;
}

export function Failed({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const say = useSay();
  const problem = asProblem(error);
  if (problem.status === 403 || problem.status === 404) return <NoAccess problem={problem} />;
  return (
    <div className={classes.state} role="alert">
      <p>{say(whyFailed(problem))}</p>
      <ErrorId problem={problem} />
      {retry && (
        <Button variant="default" onClick={retry}>
          {say("common.try_again")}
        </Button>
      )}
    </div>
  );
}

function whyFailed({ code, status }: Problem): PlainKey {
  if (code === "unreachable") return "shell.unreachable";
  if (code === "unexpected") return "common.unexpected";
  return status === 429 ? "common.slow_down" : "common.failed";
}

export function NoAccess({ problem }: { problem?: Problem }) {
  const say = useSay();
  return (
    <div className={classes.state}>
      <p>{say("common.no_access")}</p>
      {problem && <ErrorId problem={problem} />}
      <a href="/">{say("common.to_start")}</a>
    </div>
  );
}

/** Why a change was not done; stays until the next try. */
export function NotDone({ error }: { error: unknown }) {
  const say = useSay();
  if (!error) return null;
  const problem = asProblem(error);
  return (
    <div className={layout.alert} role="alert">
      <p>{whyNotDone(problem, say)}</p>
      <ErrorId problem={problem} />
    </div>
  );
}

function whyNotDone({ code, status, message }: Problem, say: ReturnType<typeof useSay>): string {
  if (code === "unreachable") return say("common.no_answer");
  if (code === "unexpected") return say("common.unexpected_change");
  if (status === 429) return say("common.slow_down");
  return code === "precondition_failed" ? say("common.changed_meanwhile") : say("common.not_done", { detail: message });
}

export function Empty({ children }: { children?: ReactNode }) {
  const say = useSay();
  return <div className={classes.state}>{children ?? say("common.nothing")}</div>;
}

type Asked<T> = { data: T | undefined; error: unknown; isPending: boolean; refetch?: () => unknown };

/** One query's states: loading, failed with what to do, or its data. An answer that is shown stays when a later one fails. */
export function Query<T>({ query, children }: { query: Asked<T>; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <Failed error={query.error} retry={query.refetch && (() => query.refetch?.())} />;
  return <Loading />;
}
