// Verify button: checks a log from its first event to its last, and says what was checked or what the first problem is.
import { Button } from "@mantine/core";
import { formatNumber, formatTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card, DescriptionList } from "../platform/design/page.tsx";
import { ActionError } from "../platform/design/query-states.tsx";
import { type PlainMessageKey, translateCode, useTranslation } from "../platform/messages/translate.ts";
import type { LogChoice } from "./api.ts";
import classes from "./audit.module.css";
import { useVerification } from "./use-verification.ts";
import type { Verification } from "./verification.ts";

export function VerificationCard({ hospitalId }: { hospitalId: LogChoice }) {
  const t = useTranslation();
  const { run, start, cancel } = useVerification(hospitalId);
  const { status, verification, error, endedAt } = run;
  const events = verification?.checked.events ?? 0;
  return (
    <Card title={t("audit.verify_title")}>
      <p>{t("audit.verify_text")}</p>
      <div className={layout.acts}>
        <Button onClick={start} loading={status === "running"}>
          {t("audit.verify")}
        </Button>
        {status === "running" && (
          <Button variant="default" onClick={cancel}>
            {t("common.cancel")}
          </Button>
        )}
      </div>
      <p role="status">
        {status === "running" && t("audit.verify_running", { n: formatNumber(events) })}
        {status === "cancelled" && t("audit.verify_cancelled", { n: formatNumber(events) })}
        {status === "failed" && t("audit.verify_failed", { n: formatNumber(events) })}
        {status === "ended" && verification?.state === "passed" && `✓ ${t("audit.verify_passed")}`}
      </p>
      {status === "failed" && <ActionError error={error} />}
      {verification?.problem && <LogProblem problem={verification.problem} />}
      {verification && status !== "running" && <CheckedFacts verification={verification} endedAt={endedAt} />}
    </Card>
  );
}

function LogProblem({ problem: { seq, kind, detail } }: { problem: NonNullable<Verification["problem"]> }) {
  const t = useTranslation();
  const words = translateCode("audit.problem", kind);
  return (
    <div className={layout.alert} role="alert">
      <p>
        <strong>{seq === null ? t("audit.problem_log") : t("audit.problem_at", { n: formatNumber(seq) })}</strong>{" "}
        {words === kind ? t("audit.problem.unknown" satisfies PlainMessageKey) : words}
      </p>
      {detail && <code className={classes.id}>{detail}</code>}
      <p>{t("audit.problem_advice")}</p>
    </div>
  );
}

function CheckedFacts({
  verification: { checked, prunedUpTo },
  endedAt,
}: {
  verification: Verification;
  endedAt: number | null;
}) {
  const t = useTranslation();
  const { events, segments, checkpoints, first_seq, end_seq, open_events } = checked;
  const range = { first: formatNumber(first_seq), last: formatNumber(end_seq - 1) };
  return (
    <DescriptionList
      items={[
        [t("audit.checked_events"), formatNumber(events)],
        [t("audit.checked_segments"), formatNumber(segments)],
        [t("audit.checked_checkpoints"), formatNumber(checkpoints)],
        [t("audit.checked_range"), end_seq > first_seq ? t("audit.range", range) : t("audit.no_events")],
        [t("audit.open_events"), formatNumber(open_events)],
        ...(prunedUpTo === null ? [] : [[t("audit.pruned"), t("audit.pruned_up_to", { n: formatNumber(prunedUpTo) })] as const]),
        ...(endedAt === null ? [] : [[t("audit.checked_at"), formatTime(endedAt)] as const]),
      ]}
    />
  );
}
