// How far an upload is, and what has become of it.
import { Button, Group, Progress } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import layout from "../design/layout.module.css";
import { useHeld } from "../design/offline.tsx";
import { ErrorId } from "../design/states.tsx";
import { sayOf, useSay } from "../messages/index.ts";
import type { Sending } from "./sending.ts";
import classes from "./uploads.module.css";

type SendingViewProps = { state: Sending; onRetry: () => void; onCancel: () => void };

export function SendingView({ state, onRetry, onCancel }: SendingViewProps) {
  switch (state.status) {
    case "ready":
      return null;
    case "sending":
    case "waiting":
      return <UnderWay percent={state.status === "sending" ? state.percent : 100} onCancel={onCancel} />;
    case "filed":
    case "duplicate":
      return <Filed state={state} />;
    case "quarantined":
      return <Quarantined state={state} />;
    default:
      return <NotFiled state={state} onRetry={onRetry} />;
  }
}

function UnderWay({ percent, onCancel }: { percent: number; onCancel: () => void }) {
  const say = useSay();
  return (
    <div className={`${layout.stack} ${classes.stack}`}>
      <div className={classes.progress}>
        <Progress.Root size="lg">
          <Progress.Section value={percent} aria-label={say("uploads.progress")} />
        </Progress.Root>
        <span>{percent} %</span>
      </div>
      <p>{say(percent < 100 ? "uploads.sending" : "uploads.waiting")}</p>
      <Group>
        <Button variant="default" onClick={onCancel}>
          {say("uploads.stop")}
        </Button>
      </Group>
    </div>
  );
}

function Filed({ state }: { state: Extract<Sending, { reportId: string }> }) {
  const say = useSay();
  return (
    <div className={classes.good} role="status">
      <p>
        <strong>{say(state.status === "filed" ? "uploads.filed" : "uploads.is_duplicate")}</strong>
      </p>
      <Link to="/reports/$reportId" params={{ reportId: state.reportId }}>
        {say("uploads.open_report")}
      </Link>
    </div>
  );
}

function Quarantined({ state }: { state: Extract<Sending, { status: "quarantined" }> }) {
  const say = useSay();
  return (
    <div className={classes.warning} role="alert">
      <p>
        <strong>{say("uploads.is_quarantined", { reason: sayOf("upload_reason", state.reason ?? "unknown") })}</strong>
      </p>
      <Link to="/uploads/$uploadId" params={{ uploadId: state.uploadId }}>
        {say("uploads.open_upload")}
      </Link>
    </div>
  );
}

type NotFiledProps = {
  state: Extract<Sending, { status: "stopped" | "unanswered" | "refused" }>;
  onRetry: () => void;
};

function NotFiled({ state, onRetry }: NotFiledProps) {
  const say = useSay();
  const { held, reason } = useHeld();
  const canRetry = state.status !== "refused" || state.again;
  return (
    <div className={classes.warning} role="alert">
      {state.status === "stopped" && <p>{say("uploads.stopped_at", { n: state.percent })}</p>}
      {state.status === "unanswered" && <p>{say("uploads.unanswered")}</p>}
      {state.status === "refused" && <Refused state={state} />}
      {canRetry && reason}
      {canRetry && (
        <Button onClick={onRetry} {...held}>
          {say("uploads.retry")}
        </Button>
      )}
    </div>
  );
}

function Refused({ state: { problem } }: { state: Extract<Sending, { status: "refused" }> }) {
  const say = useSay();
  const unclear = problem.status >= 500;
  return (
    <>
      <p>
        <strong>{say(unclear ? "uploads.failed_unclear" : "uploads.refused")}</strong> {sayOf("upload_reason", problem.code)}
      </p>
      {problem.message && <p>{problem.message}</p>}
      {problem.errors.length > 0 && (
        <ul>
          {problem.errors.map(({ path, message }) => (
            <li key={path}>
              {sayOf("metric", path)}: {message}
            </li>
          ))}
        </ul>
      )}
      <ErrorId problem={problem} />
    </>
  );
}
