// Another password: the present one, and the new one twice. Every other session ends.
import { PasswordInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem, Problem } from "../api/problem.ts";
import { type FieldErrors, Form } from "../design/form.tsx";
import { type PlainKey, useSay } from "../messages/index.ts";
import { changePassword } from "./account-api.ts";

const SHORTEST = 15;
const EMPTY = { current_password: "", new_password: "", again: "" };
type Name = keyof typeof EMPTY;
const LABELS: Record<Name, PlainKey> = {
  current_password: "session.current_password",
  new_password: "session.new_password",
  again: "session.new_password_again",
};

/** What the API refuses, at the field that it is about. */
function refusalOf(error: unknown, say: ReturnType<typeof useSay>): unknown {
  const { status, code, message, errorId, errors } = asProblem(error);
  const at = (path: Name, key: PlainKey) => new Problem(status, code, message, errorId, [{ path, message: say(key), code }]);
  if (code === "wrong_password") return at("current_password", "session.wrong_password");
  if (code === "account_locked") return at("current_password", "session.locked");
  if (errors.some((one) => one.code === "weak_password")) return at("new_password", "session.weak_password");
  return error;
}

export function PasswordForm() {
  const say = useSay();
  const client = useQueryClient();
  const [draft, setDraft] = useState(EMPTY);
  const [done, setDone] = useState(false);
  const check = (): FieldErrors => ({
    ...(draft.current_password === "" && { current_password: say("common.required") }),
    ...(Array.from(draft.new_password).length < SHORTEST && { new_password: say("session.password_short") }),
    ...(draft.again !== draft.new_password && { again: say("session.passwords_differ") }),
  });
  async function save(): Promise<void> {
    setDone(false);
    await changePassword(draft.current_password, draft.new_password).catch((error: unknown) => {
      throw refusalOf(error, say);
    });
    setDraft(EMPTY);
    setDone(true);
    await client.invalidateQueries({ queryKey: ["account", "sessions"] });
  }
  return (
    <>
      <Form
        submit={say("session.change_password")}
        check={check}
        onSubmit={save}
        labels={Object.fromEntries(Object.entries(LABELS).map(([name, key]) => [name, say(key)]))}
      >
        {(field) =>
          (["current_password", "new_password", "again"] as const).map((name) => (
            <PasswordInput
              key={name}
              {...field(name)}
              label={say(LABELS[name])}
              description={name === "new_password" ? say("session.password_hint") : undefined}
              value={draft[name]}
              onChange={(event) => setDraft({ ...draft, [name]: event.target.value })}
              autoComplete={name === "current_password" ? "current-password" : "new-password"}
              visibilityToggleButtonProps={{ "aria-label": say("session.show_password") }}
            />
          ))
        }
      </Form>
      <p role="status">{done && say("session.password_changed")}</p>
    </>
  );
}
