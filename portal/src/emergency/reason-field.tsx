// Text field of a reason with its bounds, and how many characters it has.
import { Textarea } from "@mantine/core";
import layout from "../platform/design/layout.module.css";
import { t, useTranslation } from "../platform/messages/translate.ts";
import { REASON_LENGTH } from "./api.ts";

/** An error for a reason that the service would refuse. */
export const findReasonFault = (reason: string): { reason?: string } =>
  reason.trim().length < REASON_LENGTH.min ? { reason: t("emergency.reason_short") } : {};

type ReasonFieldProps = {
  label: string;
  hint: string;
  value: string;
  onChange: (value: string) => void;
  id: string;
  error: string | undefined;
};

export function ReasonField({ label, hint, value, onChange, ...field }: ReasonFieldProps) {
  const t = useTranslation();
  const n = value.trim().length;
  return (
    <div>
      <Textarea
        {...field}
        label={label}
        description={hint}
        withAsterisk
        autosize
        minRows={3}
        maxLength={REASON_LENGTH.max}
        value={value}
        onChange={({ target }) => onChange(target.value)}
        data-autofocus
      />
      <p className={layout.count}>
        {n < REASON_LENGTH.min
          ? t("emergency.reason_count_min", { n, min: REASON_LENGTH.min })
          : t("emergency.reason_count", { n, max: REASON_LENGTH.max })}
      </p>
    </div>
  );
}
