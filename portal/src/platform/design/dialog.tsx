// Modal dialog for a form or a value shown once.
import { Modal } from "@mantine/core";
import { type ReactNode, useSyncExternalStore } from "react";
import { getStepUp, subscribeStepUp } from "../api/step-up.ts";
import { useTranslation } from "../messages/translate.ts";
import { useRestoreFocus } from "./restore-focus.ts";

type DialogProps = {
  title: string;
  children: ReactNode;
  onClose: () => void;
  wide?: boolean;
  /** What it shows is shown only once: Escape does not close it, and the button that does is among the children. */
  isShownOnce?: boolean;
  /** The dialog that asks who somebody is: it opens over others. */
  isStepUp?: boolean;
};

/** True while the question who somebody is covers the dialogs of the page: Escape closes that one alone. */
export const useIsCovered = (): boolean => useSyncExternalStore(subscribeStepUp, getStepUp) !== null;

/** A click outside does not close it, so that input is not lost. */
export function Dialog({ title, children, onClose, wide = false, isShownOnce = false, isStepUp = false }: DialogProps) {
  const t = useTranslation();
  const isCovered = useIsCovered() && !isStepUp;
  useRestoreFocus();
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      size={wide ? "lg" : "md"}
      closeOnClickOutside={false}
      closeOnEscape={!isCovered && !isShownOnce}
      withCloseButton={!isShownOnce}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      {children}
    </Modal>
  );
}
