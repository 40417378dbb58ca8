// Corrects one value, or says that it was entered in error. The old value stays in its history; nothing is deleted.
import { Radio, Stack, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { Dialog } from "../design/dialog.tsx";
import { type FieldErrors, Form, numberIn } from "../design/form.tsx";
import { sayOf, useSay } from "../messages/index.ts";
import { amendObservation, type Observation } from "./api.ts";
import { unitText } from "./charted.ts";
import { sampleText } from "./samples-table.tsx";
import { seconds } from "./times.ts";

type AmendDialogProps = { sample: Observation; zone: string | undefined; onClose: () => void; onDone: () => void };
type What = "amended" | "entered-in-error";
const LETTERS = /^[ACVPU]$/i;

export function AmendDialog({ sample, zone, onClose, onDone }: AmendDialogProps) {
  const say = useSay();
  const [what, setWhat] = useState<What>("amended");
  const [text, setText] = useState("");
  const [reason, setReason] = useState("");
  const letters = sample.name === "consciousness";
  const value = letters && LETTERS.test(text.trim()) ? text.trim().toUpperCase() : numberIn(text);

  function check(): FieldErrors {
    return {
      ...(what === "amended" && value === null && { value: say("vitals.not_a_number") }),
      ...(reason.trim() === "" && { reason: say("common.required") }),
    };
  }
  async function send() {
    const amendment =
      what === "amended" && value !== null
        ? ({ status: "amended", value, unit: sample.unit, reason: reason.trim() } as const)
        : ({ status: "entered-in-error", reason: reason.trim() } as const);
    await amendObservation(sample.observation_id, amendment);
    onDone();
  }

  return (
    <Dialog
      onClose={onClose}
      title={say("vitals.correct_value", {
        vital: sayOf("vital", sample.name ?? sample.code),
        at: seconds(sample.effective_at, zone),
      })}
    >
      <p>{say("vitals.was", { value: sampleText(sample) })}</p>
      <Form
        submit={say("vitals.correct")}
        check={check}
        onSubmit={send}
        onCancel={onClose}
        labels={{ value: say("vitals.right_value"), reason: say("vitals.reason") }}
      >
        {(field) => (
          <>
            <Radio.Group label={say("vitals.what")} value={what} onChange={(next) => setWhat(next as What)}>
              <Stack gap="xs" mt="xs">
                <Radio value="amended" label={say("vitals.what.amended")} />
                <Radio value="entered-in-error" label={say("vitals.what.entered-in-error")} />
              </Stack>
            </Radio.Group>
            {what === "amended" && (
              <TextInput
                {...field("value")}
                label={say("vitals.right_value")}
                inputMode={letters ? "text" : "decimal"}
                rightSection={unitText(sample.unit)}
                rightSectionWidth={64}
                value={text}
                onChange={(event) => setText(event.target.value)}
              />
            )}
            <Textarea
              {...field("reason")}
              label={say("vitals.reason")}
              description={say("vitals.reason_hint")}
              maxLength={500}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}
