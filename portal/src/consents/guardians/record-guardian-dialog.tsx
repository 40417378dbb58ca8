// Dialog in which staff records a guardian: the code that the guardian shows, what they are to the patient, why, and until when.
import { NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { GUARDIAN_GROUNDS, GUARDIAN_RELATIONSHIPS } from "../../../../src/platform/db/vocabulary.ts";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { addDays, dayInZone, endOfDayIso, isDateString } from "../../platform/design/calendar-days.ts";
import { Dialog } from "../../platform/design/dialog.tsx";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import { type NewGuardian, recordGuardian } from "./api.ts";

const MAX_CODE_LENGTH = 40;
const MIN_REASON = 3;
const MAX_REASON = 500;
/** The API accepts 18 years with their leap days; the end of the last day has to lie within. */
const MAX_DAYS = 18 * 365 + 3;

const isCode = (text: string): boolean => /^[a-z2-7]{12}$/.test(text.toLowerCase().replace(/[\s-]/g, ""));

type Draft = { code: string; relationship: string; ground: string; reason: string; until: string };
const EMPTY: Draft = { code: "", relationship: "", ground: "", reason: "", until: "" };

type RecordGuardianDialogProps = { patientId: string; zone: string | undefined; onClose: () => void };

export function RecordGuardianDialog({ patientId, zone, onClose }: RecordGuardianDialogProps) {
  const t = useTranslation();
  const [draft, setDraft] = useState(EMPTY);
  const set = (part: keyof Draft) => (event: { currentTarget: { value: string } }) => {
    const { value } = event.currentTarget;
    setDraft((current) => ({ ...current, [part]: value }));
  };
  const today = dayInZone(Date.now(), zone);
  const latest = addDays(today, MAX_DAYS);
  const relationship = GUARDIAN_RELATIONSHIPS.find((one) => one === draft.relationship);
  const ground = GUARDIAN_GROUNDS.find((one) => one === draft.ground);
  const labels = {
    code: t("guardians.code"),
    relationship: t("guardians.relationship"),
    ground: t("guardians.ground"),
    reason: t("guardians.reason"),
    until: t("guardians.until"),
  };
  const validate = (): FieldErrors => ({
    ...(!isCode(draft.code) && { code: t("consents.code_shape") }),
    ...(!relationship && { relationship: t("common.required_choice") }),
    ...(!ground && { ground: t("common.required_choice") }),
    ...(draft.reason.trim().length < MIN_REASON && { reason: t("erasure.reason_short") }),
    ...((!isDateString(draft.until) || draft.until < today || draft.until > latest) && { until: t("guardians.until_wrong") }),
  });
  async function submit(): Promise<void> {
    if (!relationship || !ground) return;
    const until = endOfDayIso(draft.until, zone);
    const guardian: NewGuardian = { code: draft.code, relationship, ground, reason: draft.reason.trim(), until };
    await withErrorMessages(recordGuardian(patientId, guardian), {
      not_found: t("guardians.code_wrong"),
      forbidden: t("guardians.own_code"),
      conflict: t("guardians.recorded_before"),
      limit_reached: t("guardians.too_many"),
    });
    announce(t("guardians.recorded_done"));
    onClose();
  }
  return (
    <Dialog title={t("guardians.record")} onClose={onClose}>
      <p>{t("guardians.record_text")}</p>
      <Form submitLabel={t("guardians.record_submit")} validate={validate} onSubmit={submit} onCancel={onClose} labels={labels}>
        {(field) => (
          <>
            <TextInput
              label={labels.code}
              autoComplete="off"
              spellCheck={false}
              maxLength={MAX_CODE_LENGTH}
              value={draft.code}
              onChange={set("code")}
              {...field("code")}
            />
            <NativeSelect
              label={labels.relationship}
              value={draft.relationship}
              onChange={set("relationship")}
              data={[
                { value: "", label: t("guardians.choose") },
                ...GUARDIAN_RELATIONSHIPS.map((value) => ({ value, label: t(`guardians.relationship.${value}`) })),
              ]}
              {...field("relationship")}
            />
            <NativeSelect
              label={labels.ground}
              description={t("guardians.ground_hint")}
              value={draft.ground}
              onChange={set("ground")}
              data={[
                { value: "", label: t("guardians.choose") },
                ...GUARDIAN_GROUNDS.map((value) => ({ value, label: t(`guardians.ground.${value}`) })),
              ]}
              {...field("ground")}
            />
            <Textarea
              label={labels.reason}
              description={t("guardians.reason_hint")}
              autosize
              minRows={2}
              maxLength={MAX_REASON}
              value={draft.reason}
              onChange={set("reason")}
              {...field("reason")}
            />
            <TextInput
              type="date"
              label={labels.until}
              description={t("guardians.until_hint")}
              min={today}
              max={latest}
              value={draft.until}
              onChange={set("until")}
              {...field("until")}
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}
