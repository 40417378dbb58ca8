// Progress and outcome of an upload.
import { Button, Group, Progress } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import layout from "../../platform/design/layout.module.css";
import { useOfflineGuard } from "../../platform/design/offline-guard.tsx";
import { ErrorId } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import type { UploadState } from "./upload-state.ts";
import classes from "./uploads.module.css";

type UploadStatusProps = { state: UploadState; onRetry: () => void; onCancel: () => void };

export function UploadStatus({ state, onRetry, onCancel }: UploadStatusProps) {
  switch (state.status) {
    case "ready":
      return null;
    case "sending":
    case "waiting":
      return <UploadProgress percent={state.status === "sending" ? state.percent : 100} onCancel={onCancel} />;
    case "filed":
    case "duplicate":
      return <FiledNotice state={state} />;
    case "quarantined":
      return <QuarantinedNotice state={state} />;
    default:
      return <FailureNotice state={state} onRetry={onRetry} />;
  }
}

export function UploadProgress({ percent, onCancel }: { percent: number; onCancel: () => void }) {
  const t = useTranslation();
  return (
    <div className={`${layout.stack} ${classes.stack}`}>
      <div className={classes.progress}>
        <Progress.Root size="lg">
          <Progress.Section value={percent} aria-label={t("uploads.progress")} />
        </Progress.Root>
        <span>{percent} %</span>
      </div>
      <p>{t(percent < 100 ? "uploads.sending" : "uploads.waiting")}</p>
      <Group>
        <Button variant="default" onClick={onCancel}>
          {t("uploads.stop")}
        </Button>
      </Group>
    </div>
  );
}

function FiledNotice({ state }: { state: Extract<UploadState, { reportId: string }> }) {
  const t = useTranslation();
  return (
    <div className={classes.good} role="status">
      <p>
        <strong>{t(state.status === "filed" ? "uploads.filed" : "uploads.is_duplicate")}</strong>
      </p>
      <Link to="/reports/$reportId" params={{ reportId: state.reportId }}>
        {t("uploads.open_report")}
      </Link>
    </div>
  );
}

function QuarantinedNotice({ state }: { state: Extract<UploadState, { status: "quarantined" }> }) {
  const t = useTranslation();
  return (
    <div className={classes.warning} role="alert">
      <p>
        <strong>{t("uploads.is_quarantined", { reason: translateCode("upload_reason", state.reason ?? "unknown") })}</strong>
      </p>
      <Link to="/uploads/$uploadId" params={{ uploadId: state.uploadId }}>
        {t("uploads.open_upload")}
      </Link>
    </div>
  );
}

type FailureNoticeProps = {
  state: Extract<UploadState, { status: "stopped" | "unanswered" | "refused" }>;
  onRetry: () => void;
};

function FailureNotice({ state, onRetry }: FailureNoticeProps) {
  const t = useTranslation();
  const { offlineProps, offlineNotice } = useOfflineGuard();
  const canRetry = state.status !== "refused" || state.canRetry;
  return (
    <div className={classes.warning} role="alert">
      {state.status === "stopped" && <p>{t("uploads.stopped_at", { n: state.percent })}</p>}
      {state.status === "unanswered" && <p>{t("uploads.unanswered")}</p>}
      {state.status === "refused" && <RefusalDetails state={state} />}
      {canRetry && offlineNotice}
      {canRetry && (
        <Button onClick={onRetry} {...offlineProps}>
          {t("uploads.retry")}
        </Button>
      )}
    </div>
  );
}

function RefusalDetails({ state: { problem } }: { state: Extract<UploadState, { status: "refused" }> }) {
  const t = useTranslation();
  const isUnclear = problem.status >= 500;
  return (
    <>
      <p>
        <strong>{t(isUnclear ? "uploads.failed_unclear" : "uploads.refused")}</strong>{" "}
        {translateCode("upload_reason", problem.code)}
      </p>
      {problem.message && <p>{problem.message}</p>}
      {problem.errors.length > 0 && (
        <ul>
          {problem.errors.map(({ path, message }) => (
            <li key={path}>
              {translateCode("metric", path)}: {message}
            </li>
          ))}
        </ul>
      )}
      <ErrorId problem={problem} />
    </>
  );
}
