// Dialog to correct a value or mark it as entered in error. The old value stays in the history.
import { Radio, Stack, Textarea } from "@mantine/core";
import { useState } from "react";
import { Dialog } from "../../platform/design/dialog.tsx";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { NumberTextInput } from "../../platform/design/number-text-input.tsx";
import { parseNumber } from "../../platform/design/parse-number.ts";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { amendObservation, type Observation } from "./api.ts";
import { formatUcumUnit, getVitalUnit } from "./chart-catalogue.ts";
import { formatDateTimeSeconds } from "./format-seconds.ts";
import { formatSample } from "./samples-table.tsx";

type AmendDialogProps = { sample: Observation; zone: string | undefined; onClose: () => void; onDone: () => void };
type AmendmentKind = "amended" | "entered-in-error";
const ACVPU_LETTER = /^[ACVPU]$/i;

export function AmendDialog({ sample, zone, onClose, onDone }: AmendDialogProps) {
  const t = useTranslation();
  const [kind, setKind] = useState<AmendmentKind>("amended");
  const [text, setText] = useState("");
  const [reason, setReason] = useState("");
  // A sample whose unit is doubtful has it as sent; the right value is in the catalogue's.
  const unit = getVitalUnit(sample.name ?? "") || sample.unit;
  const isConsciousness = sample.name === "consciousness";
  const value = isConsciousness && ACVPU_LETTER.test(text.trim()) ? text.trim().toUpperCase() : parseNumber(text);

  function validate(): FieldErrors {
    return {
      ...(kind === "amended" && value === null && { value: t("vitals.not_a_number") }),
      ...(reason.trim() === "" && { reason: t("common.required") }),
    };
  }
  async function submit() {
    const amendment =
      kind === "amended" && value !== null
        ? ({ status: "amended", value, unit, reason: reason.trim() } as const)
        : ({ status: "entered-in-error", reason: reason.trim() } as const);
    await amendObservation(sample.observation_id, amendment);
    onDone();
  }

  return (
    <Dialog
      onClose={onClose}
      title={t("vitals.correct_value", {
        vital: translateCode("vital", sample.name ?? sample.code),
        at: formatDateTimeSeconds(sample.effective_at, zone),
      })}
    >
      <p>{t("vitals.was", { value: formatSample(sample) })}</p>
      <Form
        submitLabel={t("vitals.correct")}
        validate={validate}
        onSubmit={submit}
        onCancel={onClose}
        labels={{ value: t("vitals.right_value"), reason: t("vitals.reason") }}
      >
        {(field) => (
          <>
            <Radio.Group label={t("vitals.what")} value={kind} onChange={(next) => setKind(next as AmendmentKind)}>
              <Stack gap="xs" mt="xs">
                <Radio value="amended" label={t("vitals.what.amended")} />
                <Radio value="entered-in-error" label={t("vitals.what.entered-in-error")} />
              </Stack>
            </Radio.Group>
            {kind === "amended" && (
              <NumberTextInput
                {...field("value")}
                label={t("vitals.right_value")}
                inputMode={isConsciousness ? "text" : "decimal"}
                rightSection={formatUcumUnit(unit)}
                rightSectionWidth={64}
                value={text}
                onText={setText}
              />
            )}
            <Textarea
              {...field("reason")}
              label={t("vitals.reason")}
              description={t("vitals.reason_hint")}
              maxLength={500}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}
