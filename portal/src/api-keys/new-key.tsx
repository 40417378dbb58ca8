// A new key: for which program, what it may do, until when.
import { Checkbox, TextInput } from "@mantine/core";
import { useState } from "react";
import { dayAfter, dayOf, startOfDay } from "../design/days.ts";
import { Dialog } from "../design/dialog.tsx";
import { type FieldErrors, Form, requiredIn } from "../design/form.tsx";
import { HospitalSelect } from "../hospitals/hospital-select.tsx";
import { serverNow } from "../live/server-clock.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { issueKey, SCOPES, type Scope } from "./api.ts";
import classes from "./api-keys.module.css";
import { KeySecret } from "./key-secret.tsx";

const FIVE_YEARS = 5 * 365;

type NewKeyProps = { zone: string | undefined; changed: () => Promise<unknown>; onClose: () => void };

export function NewKey({ zone, changed, onClose }: NewKeyProps) {
  const say = useSay();
  const isAdmin = useMe().role === "admin";
  const [key] = useState(() => crypto.randomUUID());
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<Scope[]>([]);
  const [hospitalId, setHospitalId] = useState("");
  const [until, setUntil] = useState("");
  const [made, setMade] = useState<{ token: string | null } | null>(null);
  if (made) return <KeySecret name={name} token={made.token} onClose={onClose} />;

  const today = dayOf(serverNow(), zone);
  const last = dayAfter(today, FIVE_YEARS - 1);
  function wrongScopes(): string | null {
    if (scopes.length === 0) return say("keys.choose_scopes");
    const writes = scopes.includes("patient:create") || scopes.includes("patient:update");
    return writes && !scopes.includes("patient:read") ? say("keys.needs_read") : null;
  }
  function check(): FieldErrors {
    const wrong = wrongScopes();
    return {
      ...requiredIn({ name }),
      ...(wrong && { scopes: wrong }),
      ...(isAdmin && hospitalId === "" && { hospital_id: say("common.required_choice") }),
      ...(until !== "" && (until < today || until > last) && { expires_at: say("keys.until_wrong") }),
    };
  }
  async function send() {
    const expires_at = until === "" ? null : new Date(startOfDay(dayAfter(until), zone)).toISOString();
    const wanted = { name: name.trim(), scopes, expires_at, ...(isAdmin && { hospital_id: hospitalId }) };
    setMade(await issueKey(wanted, key));
    void changed();
  }
  const labels = {
    name: say("keys.name"),
    scopes: say("keys.scopes"),
    expires_at: say("keys.until"),
    hospital_id: say("hospitals.hospital"),
  };
  return (
    <Dialog title={say("keys.new")} onClose={onClose}>
      <Form submit={say("keys.new")} check={check} onSubmit={send} onCancel={onClose} labels={labels}>
        {(field) => (
          <>
            <TextInput
              {...field("name")}
              label={labels.name}
              description={say("keys.name_hint")}
              value={name}
              onChange={(event) => setName(event.target.value)}
              autoComplete="off"
              data-autofocus
            />
            <HospitalSelect
              {...field("hospital_id")}
              value={hospitalId}
              onChange={setHospitalId}
              none={say("keys.choose_hospital")}
            />
            <Checkbox.Group
              error={field("scopes").error}
              label={labels.scopes}
              value={scopes}
              onChange={(values) => setScopes(SCOPES.filter((scope) => values.includes(scope)))}
            >
              <div className={classes.scopes}>
                {SCOPES.map((scope, i) => (
                  // The summary of errors leads to the first box.
                  <Checkbox
                    key={scope}
                    {...(i === 0 && { id: field("scopes").id })}
                    value={scope}
                    label={sayOf("keys.scope", scope)}
                  />
                ))}
              </div>
            </Checkbox.Group>
            <TextInput
              {...field("expires_at")}
              type="date"
              label={labels.expires_at}
              description={say("keys.until_hint")}
              value={until}
              min={today}
              max={last}
              onChange={(event) => setUntil(event.target.value)}
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}
