// Sign-in form; one message for every failure, so that it does not reveal which field was wrong.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { toProblem } from "../../platform/api/problem.ts";
import layout from "../../platform/design/layout.module.css";
import { ErrorId } from "../../platform/design/query-states.tsx";
import { type PlainMessageKey, useTranslation } from "../../platform/messages/translate.ts";
import { signIn } from "./session.ts";

const MESSAGES_BY_CODE: Record<string, PlainMessageKey> = {
  unreachable: "shell.unreachable",
  unexpected: "common.unexpected",
  rate_limited: "session.slow_down",
  account_locked: "session.locked",
};

export function SignInForm({ onDone }: { onDone?: () => void }) {
  const t = useTranslation();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [state, setState] = useState<{ busy: boolean; error: unknown }>({ busy: false, error: null });
  const problem = state.error ? toProblem(state.error) : null;

  async function handleSubmit(event: FormEvent) {
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
    <form onSubmit={handleSubmit} className={layout.stack}>
      {problem && (
        <div role="alert" className={layout.alert}>
          <p>{t(MESSAGES_BY_CODE[problem.code] ?? "session.wrong")}</p>
          <ErrorId problem={problem} />
        </div>
      )}
      <TextInput
        label={t("session.name")}
        value={name}
        onChange={(event) => setName(event.target.value)}
        autoComplete="username"
        required
        withAsterisk={false}
      />
      <PasswordInput
        label={t("session.password")}
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        autoComplete="current-password"
        required
        withAsterisk={false}
        visibilityToggleButtonProps={{ "aria-label": t("session.show_password") }}
      />
      <Button type="submit" loading={state.busy}>
        {t("session.sign_in")}
      </Button>
    </form>
  );
}
