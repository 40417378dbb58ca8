// A secret or a link that is shown this once: copied, handed over, and gone with the dialog.
import { Button, Group, TextInput } from "@mantine/core";
import { type ReactNode, useRef, useState } from "react";
import { useSay } from "../messages/index.ts";
import { Dialog } from "./dialog.tsx";

type ShownOnceProps = { title: string; label: string; value: string; children: ReactNode; onClose: () => void };

export function ShownOnce({ title, label, value, children, onClose }: ShownOnceProps) {
  const say = useSay();
  const input = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = () => {
    // Where the clipboard is not to be had, the text is marked, ready for Ctrl+C.
    navigator.clipboard.writeText(value).then(
      () => setCopied(true),
      () => input.current?.select(),
    );
  };
  return (
    <Dialog title={title} onClose={onClose} wide>
      {children}
      <TextInput
        ref={input}
        label={label}
        value={value}
        readOnly
        spellCheck={false}
        onFocus={(event) => event.currentTarget.select()}
        data-autofocus
      />
      <p role="status">{copied ? say("common.copied") : " "}</p>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {say("common.close")}
        </Button>
        <Button onClick={copy}>{say("common.copy")}</Button>
      </Group>
    </Dialog>
  );
}
