// Modal dialog for a form or a value shown once.
import { Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "../messages/translate.ts";
import { useRestoreFocus } from "./restore-focus.ts";

type DialogProps = { title: string; children: ReactNode; onClose: () => void; wide?: boolean };

/** A click outside does not close it, so that input is not lost. */
export function Dialog({ title, children, onClose, wide = false }: DialogProps) {
  const t = useTranslation();
  useRestoreFocus();
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      size={wide ? "lg" : "md"}
      closeOnClickOutside={false}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      {children}
    </Modal>
  );
}
