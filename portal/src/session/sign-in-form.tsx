// Identifier and password; one message for every failure that says which of them was wrong.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { asProblem } from "../api/problem.ts";
import layout from "../design/layout.module.css";
import { ErrorId } from "../design/states.tsx";
import { type PlainKey, useSay } from "../messages/index.ts";
import { signIn } from "./session.ts";

const MESSAGES: Record<string, PlainKey> = {
  unreachable: "shell.unreachable",
  unexpected: "common.unexpected",
  rate_limited: "session.slow_down",
  account_locked: "session.locked",
};

export function SignInForm({ onDone }: { onDone?: () => void }) {
  const say = useSay();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [state, setState] = useState<{ busy: boolean; error: unknown }>({ busy: false, error: null });
  const problem = state.error ? asProblem(state.error) : null;

  async function send(event: FormEvent) {
    event.preventDefault();
    setState({ busy: true, error: null });
    try {
      await signIn(name.trim(), password);
      onDone?.();
    } catch (error) {
      setState({ busy: false, error });
    }
  }

  return (
    <form onSubmit={send} className={layout.stack}>
      {problem && (
        <div role="alert" className={layout.alert}>
          <p>{say(MESSAGES[problem.code] ?? "session.wrong")}</p>
          <ErrorId problem={problem} />
        </div>
      )}
      <TextInput
        label={say("session.name")}
        value={name}
        onChange={(event) => setName(event.target.value)}
        autoComplete="username"
        required
        withAsterisk={false}
      />
      <PasswordInput
        label={say("session.password")}
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        autoComplete="current-password"
        required
        withAsterisk={false}
        visibilityToggleButtonProps={{ "aria-label": say("session.show_password") }}
      />
      <Button type="submit" loading={state.busy}>
        {say("session.sign_in")}
      </Button>
    </form>
  );
}
