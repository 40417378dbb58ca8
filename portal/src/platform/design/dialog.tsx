// A dialog over the page, for a form or for what is shown once.
import { Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "../messages/translate.ts";
import { useRestoreFocus } from "./restore-focus.ts";

type DialogProps = { title: string; children: ReactNode; onClose: () => void; wide?: boolean };

/** A click beside it does not close it: what was typed would be gone. */
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
