// Keyboard shortcuts. All need a modifier, so that typing triggers nothing. Ctrl+/ lists them.
import { Modal, Table } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { isStaff, useMe } from "../accounts/session/use-session.ts";
import { pauseSound } from "../monitoring/alerts/alarm-sound.ts";
import { SEARCH_INPUT_ID } from "../patients/patient-search.tsx";
import { useTranslation } from "../platform/messages/translate.ts";

export function Shortcuts() {
  const t = useTranslation();
  const navigate = useNavigate();
  const isStaffMember = isStaff(useMe().role);
  const [isListOpen, setIsListOpen] = useState(false);
  useEffect(() => {
    const findAction = (event: KeyboardEvent): (() => void) | null => {
      if (event.ctrlKey && event.key === "/") return () => setIsListOpen(true);
      if (!isStaffMember) return null;
      if (event.ctrlKey && event.key.toLowerCase() === "k") return () => document.getElementById(SEARCH_INPUT_ID)?.focus();
      if (event.altKey && event.shiftKey && event.code === "KeyA") return () => void navigate({ to: "/alarms" });
      if (event.altKey && event.shiftKey && event.code === "KeyM") return pauseSound;
      return null;
    };
    const handleKeyDown = (event: KeyboardEvent) => {
      const action = findAction(event);
      if (!action) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", handleKeyDown);
    return () => removeEventListener("keydown", handleKeyDown);
  }, [navigate, isStaffMember]);
  const keys = [
    ...(isStaffMember
      ? ([
          ["Ctrl+K", t("shell.keys.search")],
          ["Alt+Shift+A", t("shell.keys.alarms")],
          ["Alt+Shift+M", t("shell.keys.pause")],
        ] as const)
      : []),
    ["Ctrl+/", t("shell.keys.list")] as const,
  ];
  return (
    <Modal
      opened={isListOpen}
      onClose={() => setIsListOpen(false)}
      title={t("shell.keys")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <Table>
        <Table.Tbody>
          {keys.map(([key, description]) => (
            <Table.Tr key={key}>
              <Table.Td>
                <kbd>{key}</kbd>
              </Table.Td>
              <Table.Td>{description}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
