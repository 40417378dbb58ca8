// The reason of a correction.
import { Textarea } from "@mantine/core";
import { useTranslation } from "../../platform/messages/translate.ts";

const MAX_REASON_LENGTH = 500;

type ReasonFieldProps = { reason: string; isRequired?: boolean; onReason: (reason: string) => void };

export function ReasonField({ reason, isRequired = true, onReason }: ReasonFieldProps) {
  const t = useTranslation();
  return (
    <Textarea
      mt="sm"
      label={t("reports.change_reason")}
      required={isRequired}
      maxLength={MAX_REASON_LENGTH}
      value={reason}
      onChange={(event) => onReason(event.currentTarget.value)}
    />
  );
}
