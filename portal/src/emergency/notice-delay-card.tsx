// Delay of the notices to one patient about emergency access, for the privacy officers of the hospital.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { StaffName } from "../erasure/staff-name.tsx";
import { withErrorMessages } from "../platform/api/problem.ts";
import { ConfirmDialog } from "../platform/design/confirm-dialog.tsx";
import { Dialog } from "../platform/design/dialog.tsx";
import { type FieldErrors, Form } from "../platform/design/form.tsx";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { NumberTextInput } from "../platform/design/number-text-input.tsx";
import { DescriptionList, FoldedCard } from "../platform/design/page.tsx";
import { parseNumber } from "../platform/design/parse-number.ts";
import { QueryBoundary, RefetchError } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { delayQuery, endDelay, MAX_DELAY_DAYS, type NoticeDelay, setDelay } from "./api.ts";
import classes from "./emergency.module.css";
import { findReasonFault, ReasonField } from "./reason-field.tsx";

/** Folded: each read of its content is an audit event. */
export function NoticeDelayCard({ patientId }: { patientId: string }) {
  const t = useTranslation();
  return (
    <FoldedCard title={t("emergency.delay")}>
      <div className={layout.stack}>
        <p className={layout.note}>{t("emergency.delay_text")}</p>
        <Delay patientId={patientId} />
      </div>
    </FoldedCard>
  );
}

function Delay({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const query = useQuery(delayQuery(patientId));
  const [dialog, setDialog] = useState<"set" | "end" | null>(null);
  const close = () => setDialog(null);
  return (
    <QueryBoundary query={query}>
      {(delay) => (
        <>
          {delay ? <DelayFacts delay={delay} /> : <p>{t("emergency.no_delay")}</p>}
          <RefetchError error={query.error} />
          <div className={layout.acts}>
            <Button variant="default" onClick={() => setDialog("set")}>
              {t(delay ? "emergency.change_delay" : "emergency.set_delay")}
            </Button>
            {delay && (
              <Button variant="default" onClick={() => setDialog("end")}>
                {t("emergency.end_delay")}
              </Button>
            )}
          </div>
          {dialog === "set" && <DelayDialog patientId={patientId} onClose={close} />}
          {dialog === "end" && (
            <ConfirmDialog
              title={t("emergency.end_delay_title")}
              confirmLabel={t("emergency.end_delay")}
              isDangerous={false}
              onConfirm={() => withErrorMessages(endDelay(patientId), { not_found: t("emergency.delay_over") })}
              onClose={close}
            >
              <p>{t("emergency.end_delay_text")}</p>
            </ConfirmDialog>
          )}
        </>
      )}
    </QueryBoundary>
  );
}

function DelayFacts({ delay: { reason, until, set_by, set_at } }: { delay: NoticeDelay }) {
  const t = useTranslation();
  const { hospital } = useMe();
  return (
    <>
      <DescriptionList
        items={[
          [t("emergency.delayed_until"), formatDateTime(until)],
          [t("emergency.delay_set_by"), <StaffName key="by" hospitalId={hospital?.id ?? ""} userId={set_by} />],
          [t("emergency.delay_set_at"), formatDateTime(set_at)],
        ]}
      />
      <p className={classes.text}>{t("emergency.reason_is", { reason })}</p>
    </>
  );
}

function DelayDialog({ patientId, onClose }: { patientId: string; onClose: () => void }) {
  const t = useTranslation();
  const [reason, setReason] = useState("");
  const [days, setDays] = useState("");
  const count = parseNumber(days) ?? Number.NaN;
  const areDaysValid = Number.isInteger(count) && count >= 1 && count <= MAX_DELAY_DAYS;
  const validate = (): FieldErrors => ({
    ...(!areDaysValid && { days: t("erasure.out_of_range", { min: 1, max: MAX_DELAY_DAYS }) }),
    ...findReasonFault(reason),
  });
  const save = () =>
    withErrorMessages(setDelay(patientId, { reason: reason.trim(), days: count }), {
      not_found: t("emergency.delay_no_patient"),
    }).then(onClose);
  const labels = { days: t("emergency.delay_days"), reason: t("emergency.delay_reason") };
  return (
    <Dialog title={t("emergency.set_delay")} onClose={onClose}>
      <p>{t("emergency.set_delay_text")}</p>
      <Form submitLabel={t("emergency.set_delay")} validate={validate} onSubmit={save} onCancel={onClose} labels={labels}>
        {(field) => (
          <>
            <NumberTextInput
              {...field("days")}
              label={labels.days}
              description={t("emergency.delay_days_hint")}
              withAsterisk
              inputMode="numeric"
              maxLength={4}
              value={days}
              onText={setDays}
            />
            <ReasonField
              {...field("reason")}
              label={labels.reason}
              hint={t("emergency.delay_reason_hint")}
              value={reason}
              onChange={setReason}
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}
