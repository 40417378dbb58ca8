// The keyboard: no key acts alone, so that nothing happens to who types. Ctrl+/ lists them.
import { Modal, Table } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { pauseSound } from "../alarms/sound.ts";
import { useSay } from "../messages/index.ts";
import { SEARCH_ID } from "../patients/patient-search.tsx";
import { isStaff, useMe } from "../session/use-session.ts";

export function Shortcuts() {
  const say = useSay();
  const navigate = useNavigate();
  const staff = isStaff(useMe().role);
  const [listed, setListed] = useState(false);
  useEffect(() => {
    const act = (event: KeyboardEvent): (() => void) | null => {
      if (event.ctrlKey && event.key === "/") return () => setListed(true);
      if (!staff) return null;
      if (event.ctrlKey && event.key.toLowerCase() === "k") return () => document.getElementById(SEARCH_ID)?.focus();
      if (event.altKey && event.shiftKey && event.code === "KeyA") return () => void navigate({ to: "/alarms" });
      if (event.altKey && event.shiftKey && event.code === "KeyM") return pauseSound;
      return null;
    };
    const onKey = (event: KeyboardEvent) => {
      const action = act(event);
      if (!action) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [navigate, staff]);
  const keys = [
    ...(staff
      ? ([
          ["Ctrl+K", say("shell.keys.search")],
          ["Alt+Shift+A", say("shell.keys.alarms")],
          ["Alt+Shift+M", say("shell.keys.pause")],
        ] as const)
      : []),
    ["Ctrl+/", say("shell.keys.list")] as const,
  ];
  return (
    <Modal
      opened={listed}
      onClose={() => setListed(false)}
      title={say("shell.keys")}
      closeButtonProps={{ "aria-label": say("common.close") }}
    >
      <Table>
        <Table.Tbody>
          {keys.map(([key, what]) => (
            <Table.Tr key={key}>
              <Table.Td>
                <kbd>{key}</kbd>
              </Table.Td>
              <Table.Td>{what}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
