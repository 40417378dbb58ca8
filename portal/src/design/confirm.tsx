// Asks before the rare and risky: the button names the act, and cancel has the focus.
import { Button, Group, Modal } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useSay } from "../messages/index.ts";
import { useFocusBack } from "./focus-back.ts";
import { useHeld } from "./offline.tsx";
import { NotDone } from "./states.tsx";

type ConfirmProps = {
  title: string;
  act: string;
  risky?: boolean;
  children?: ReactNode;
  disabled?: boolean;
  /** Whether it changes something on the server. */
  changes?: boolean;
  /** The dialog stays open, and says why, when this fails. */
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
};

export function Confirm({
  title,
  act,
  risky = true,
  children,
  disabled = false,
  changes = true,
  onConfirm,
  onClose,
}: ConfirmProps) {
  const say = useSay();
  useFocusBack();
  const { held, reason } = useHeld(changes);
  const [state, setState] = useState<{ busy: boolean; error: unknown }>({ busy: false, error: null });
  const confirm = () => {
    setState({ busy: true, error: null });
    onConfirm().then(onClose, (error: unknown) => setState({ busy: false, error }));
  };
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ "aria-label": say("common.close") }}>
      {children}
      <NotDone error={state.error} />
      {reason}
      <Group mt="md" justify="flex-end">
        <Button variant="default" onClick={onClose} data-autofocus>
          {say("common.cancel")}
        </Button>
        <Button color={risky ? "red" : "blue"} onClick={confirm} loading={state.busy} disabled={disabled} {...held}>
          {act}
        </Button>
      </Group>
    </Modal>
  );
}
