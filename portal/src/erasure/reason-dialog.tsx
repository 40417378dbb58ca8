// Dialog of an action that needs a reason.
import { Textarea } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { withErrorMessages } from "../platform/api/problem.ts";
import { Dialog } from "../platform/design/dialog.tsx";
import { type FieldErrors, Form } from "../platform/design/form.tsx";
import { useTranslation } from "../platform/messages/translate.ts";

const MIN_LENGTH = 3;
const MAX_LENGTH = 500;

type ReasonDialogProps = {
  title: string;
  submitLabel: string;
  /** What happens then. */
  children: ReactNode;
  reasonLabel?: string;
  /** Shown when the state has changed meanwhile. */
  conflict: string;
  onSubmit: (reason: string) => Promise<unknown>;
  onClose: () => void;
};

export function ReasonDialog({ title, submitLabel, children, reasonLabel, conflict, onSubmit, onClose }: ReasonDialogProps) {
  const t = useTranslation();
  const [reason, setReason] = useState("");
  const label = reasonLabel ?? t("erasure.reason");
  const validate = (): FieldErrors => (reason.trim().length < MIN_LENGTH ? { reason: t("erasure.reason_short") } : {});
  const submit = () => withErrorMessages(onSubmit(reason.trim()), { conflict }).then(onClose);
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <Form submitLabel={submitLabel} validate={validate} onSubmit={submit} onCancel={onClose} labels={{ reason: label }}>
        {(field) => (
          <Textarea
            {...field("reason")}
            label={label}
            description={t("erasure.reason_hint")}
            withAsterisk
            autosize
            minRows={2}
            maxLength={MAX_LENGTH}
            value={reason}
            onChange={({ target }) => setReason(target.value)}
            data-autofocus
          />
        )}
      </Form>
    </Dialog>
  );
}
