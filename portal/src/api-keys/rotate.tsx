// A successor for a key: the old one goes on for some days, so that programs can be changed one by one.
import { TextInput } from "@mantine/core";
import { useState } from "react";
import { Dialog } from "../design/dialog.tsx";
import { type FieldErrors, Form, numberIn } from "../design/form.tsx";
import { useSay } from "../messages/index.ts";
import { type ApiKey, rotateKey } from "./api.ts";
import { KeySecret } from "./key-secret.tsx";

const USUAL_DAYS = 7;
const MOST_DAYS = 30;

type RotateProps = { apiKey: ApiKey; changed: () => Promise<unknown>; onClose: () => void };

export function Rotate({ apiKey: { api_key_id, name }, changed, onClose }: RotateProps) {
  const say = useSay();
  const [key] = useState(() => crypto.randomUUID());
  const [grace, setGrace] = useState(String(USUAL_DAYS));
  const [made, setMade] = useState<{ token: string | null } | null>(null);
  if (made) return <KeySecret name={name} token={made.token} onClose={onClose} />;
  const days = numberIn(grace);
  const right = days !== null && Number.isInteger(days) && days >= 0 && days <= MOST_DAYS;
  return (
    <Dialog title={say("keys.rotate_title", { name })} onClose={onClose}>
      <p>{say("keys.rotate_text")}</p>
      <Form
        submit={say("keys.rotate")}
        check={(): FieldErrors => (right ? {} : { grace_days: say("keys.grace_wrong") })}
        onSubmit={async () => {
          setMade(await rotateKey(api_key_id, days ?? USUAL_DAYS, key).finally(changed));
        }}
        onCancel={onClose}
        labels={{ grace_days: say("keys.grace") }}
      >
        {(field) => (
          <TextInput
            {...field("grace_days")}
            inputMode="numeric"
            label={say("keys.grace")}
            value={grace}
            onChange={(event) => setGrace(event.target.value)}
            data-autofocus
          />
        )}
      </Form>
    </Dialog>
  );
}
