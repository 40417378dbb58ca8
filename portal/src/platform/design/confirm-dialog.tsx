// Confirmation dialog for rare or risky actions; Cancel has the initial focus.
import { Button, Group, Modal } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useTranslation } from "../messages/translate.ts";
import { useIsCovered } from "./dialog.tsx";
import { useOfflineGuard } from "./offline-guard.tsx";
import { ActionError } from "./query-states.tsx";
import { useRestoreFocus } from "./restore-focus.ts";

type ConfirmDialogProps = {
  title: string;
  confirmLabel: string;
  isDangerous?: boolean;
  children?: ReactNode;
  disabled?: boolean;
  /** Whether the action changes data on the server. */
  isMutation?: boolean;
  /** On failure the dialog stays open and shows the error. */
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
};

export function ConfirmDialog({
  title,
  confirmLabel,
  isDangerous = true,
  children,
  disabled = false,
  isMutation = true,
  onConfirm,
  onClose,
}: ConfirmDialogProps) {
  const t = useTranslation();
  const isCovered = useIsCovered();
  useRestoreFocus();
  const { offlineProps, offlineNotice } = useOfflineGuard(isMutation);
  const [state, setState] = useState<{ busy: boolean; error: unknown }>({ busy: false, error: null });
  const confirm = () => {
    setState({ busy: true, error: null });
    onConfirm().then(onClose, (error: unknown) => setState({ busy: false, error }));
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      closeOnEscape={!isCovered}
      closeOnClickOutside={!isCovered}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      {children}
      <ActionError error={state.error} />
      {offlineNotice}
      <Group mt="md" justify="flex-end">
        <Button variant="default" onClick={onClose} data-autofocus>
          {t("common.cancel")}
        </Button>
        <Button color={isDangerous ? "red" : "blue"} onClick={confirm} loading={state.busy} disabled={disabled} {...offlineProps}>
          {confirmLabel}
        </Button>
      </Group>
    </Modal>
  );
}
