// Dialogs that correct a report: time, type and comment; entered in error, and back. Each asks for a reason.
import { NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { formatWallTime, parseWallTime } from "../../platform/design/calendar-days.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import type { Report } from "../api.ts";
import { isReportKind, KINDS } from "../report-kinds.ts";
import { type CorrectionInput, correctReport } from "./api.ts";
import { ReasonField } from "./reason-field.tsx";

const MAX_COMMENT_LENGTH = 2000;

type DialogProps = { report: Report; onClose: () => void };

export function CorrectDialog({ report, onClose }: DialogProps) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(report.hospital_id);
  const shownTime = formatWallTime(Date.parse(report.effective_at), zone);
  const [wallTime, setWallTime] = useState(shownTime);
  const [kind, setKind] = useState(report.kind);
  const [comment, setComment] = useState(report.comment ?? "");
  const [reason, setReason] = useState("");
  const recordedAt = parseWallTime(wallTime, zone);
  const isTimeInvalid = recordedAt === null || Date.parse(recordedAt) > Date.now();
  const isTimeChanged = wallTime !== shownTime;
  const change: Omit<CorrectionInput, "reason"> = {
    ...(isTimeChanged && recordedAt !== null && { recorded_at: recordedAt }),
    ...(kind !== report.kind && { kind }),
    ...(comment.trim() !== (report.comment ?? "") && { comment: comment.trim() || null }),
  };
  return (
    <ConfirmDialog
      title={t("reports.correct_title")}
      confirmLabel={t("reports.correct_save")}
      isDangerous={false}
      disabled={reason.trim() === "" || (isTimeChanged && isTimeInvalid) || Object.keys(change).length === 0}
      onConfirm={() => correctReport(report, { ...change, reason: reason.trim() })}
      onClose={onClose}
    >
      <TextInput
        type="datetime-local"
        label={t("reports.measured")}
        value={wallTime}
        error={isTimeChanged && isTimeInvalid ? t("uploads.no_time") : undefined}
        onChange={(event) => setWallTime(event.currentTarget.value)}
      />
      <NativeSelect
        mt="sm"
        label={t("reports.kind")}
        value={kind}
        onChange={({ currentTarget: { value } }) => isReportKind(value) && setKind(value)}
        data={KINDS.map((value) => ({ value, label: translateCode("report_kind", value) }))}
      />
      <Textarea
        mt="sm"
        label={t("reports.comment")}
        maxLength={MAX_COMMENT_LENGTH}
        value={comment}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      <ReasonField reason={reason} onReason={setReason} />
    </ConfirmDialog>
  );
}

export function ErrorMarkDialog({ report, onClose }: DialogProps) {
  const t = useTranslation();
  const [reason, setReason] = useState("");
  const isInError = report.status === "entered-in-error";
  const status = isInError ? "preliminary" : "entered-in-error";
  return (
    <ConfirmDialog
      title={t(isInError ? "reports.restore" : "reports.mark_error")}
      confirmLabel={t(isInError ? "reports.restore" : "reports.mark_error")}
      isDangerous={!isInError}
      disabled={reason.trim() === ""}
      onConfirm={() => correctReport(report, { status, reason: reason.trim() })}
      onClose={onClose}
    >
      <p>{t(isInError ? "reports.restore_text" : "reports.mark_error_text")}</p>
      <ReasonField reason={reason} onReason={setReason} />
    </ConfirmDialog>
  );
}
