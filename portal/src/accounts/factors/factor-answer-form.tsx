// Form that proves who somebody is: by a passkey, a code of the authenticator app, a recovery code or the password.
import { Button, Group, PasswordInput, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { type Problem, toProblem } from "../../platform/api/problem.ts";
import layout from "../../platform/design/layout.module.css";
import { ErrorId } from "../../platform/design/query-states.tsx";
import { type PlainMessageKey, useTranslation } from "../../platform/messages/translate.ts";
import { askForPasskey, type PasskeyOptions } from "./ceremonies.ts";
import type { FactorAnswer, Method } from "./sign-in-api.ts";

const MESSAGES_BY_CODE: Record<string, PlainMessageKey> = {
  invalid_code: "factors.wrong_code",
  invalid_passkey: "factors.wrong_passkey",
  passkey_cancelled: "factors.passkey_cancelled",
  wrong_password: "session.wrong_password",
  account_locked: "session.locked",
  rate_limited: "session.slow_down",
  unreachable: "shell.unreachable",
};

export function FactorProblem({ problem }: { problem: Problem }) {
  const t = useTranslation();
  return (
    <div role="alert" className={layout.alert}>
      <p>{t(MESSAGES_BY_CODE[problem.code] ?? "common.unexpected")}</p>
      <ErrorId problem={problem} />
    </div>
  );
}

type FactorAnswerFormProps = {
  methods: readonly Method[];
  passkeyOptions: PasskeyOptions | null;
  submitLabel: string;
  cancelLabel: string;
  /** @throws Problem, which the form shows */
  onAnswer: (answer: FactorAnswer) => Promise<void>;
  onCancel: () => void;
};

export function FactorAnswerForm({ methods, passkeyOptions, ...form }: FactorAnswerFormProps) {
  const t = useTranslation();
  const { onAnswer, onCancel, submitLabel, cancelLabel } = form;
  const [busy, setBusy] = useState<"passkey" | "text" | null>(null);
  const [error, setError] = useState<unknown>(null);
  const container = useRef<HTMLDivElement>(null);
  useEffect(() => container.current?.querySelector<HTMLElement>("button, input")?.focus(), []);
  const hasTextField = methods.some((method) => method !== "passkey");

  async function send(kind: "passkey" | "text", getAnswer: () => Promise<FactorAnswer>): Promise<void> {
    setBusy(kind);
    setError(null);
    try {
      await onAnswer(await getAnswer());
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(null);
    }
  }
  return (
    <div ref={container} className={layout.stack}>
      {error ? <FactorProblem problem={toProblem(error)} /> : null}
      {passkeyOptions && (
        <Button
          onClick={() => void send("passkey", async () => ({ passkey: await askForPasskey(passkeyOptions) }))}
          loading={busy === "passkey"}
          data-autofocus
        >
          {t("factors.use_passkey")}
        </Button>
      )}
      {hasTextField && (
        <TextAnswer
          methods={methods}
          submitLabel={submitLabel}
          isBusy={busy === "text"}
          onAnswer={(answer) => void send("text", async () => answer)}
        />
      )}
      <Group justify="flex-end">
        <Button variant="subtle" onClick={onCancel}>
          {cancelLabel}
        </Button>
      </Group>
    </div>
  );
}

type TextAnswerProps = {
  methods: readonly Method[];
  submitLabel: string;
  isBusy: boolean;
  onAnswer: (answer: FactorAnswer) => void;
};

function TextAnswer({ methods, submitLabel, isBusy, onAnswer }: TextAnswerProps) {
  const t = useTranslation();
  const [text, setText] = useState("");
  const [isRecovery, setIsRecovery] = useState(!methods.includes("totp"));
  const isPassword = methods.includes("password");
  const handleSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (!isBusy && text.trim() !== "") onAnswer(isPassword ? { password: text } : { code: text.trim() });
  };
  const input = {
    value: text,
    required: true,
    withAsterisk: false,
    "data-autofocus": methods.includes("passkey") ? undefined : true,
  };
  return (
    <form onSubmit={handleSubmit} className={layout.stack}>
      {isPassword ? (
        <PasswordInput
          {...input}
          label={t("session.password")}
          onChange={(event) => setText(event.target.value)}
          autoComplete="current-password"
          visibilityToggleButtonProps={{ "aria-label": t("session.show_password") }}
        />
      ) : (
        <TextInput
          {...input}
          key={isRecovery ? "recovery" : "app"}
          label={t(isRecovery ? "factors.recovery_code" : "factors.app_code")}
          description={t(isRecovery ? "factors.recovery_code_hint" : "factors.app_code_hint")}
          onChange={(event) => setText(event.target.value)}
          inputMode={isRecovery ? "text" : "numeric"}
          autoComplete={isRecovery ? "off" : "one-time-code"}
          autoCapitalize="none"
          spellCheck={false}
          minLength={6}
          maxLength={32}
        />
      )}
      <Button type="submit" loading={isBusy} variant={methods.includes("passkey") ? "default" : "filled"}>
        {submitLabel}
      </Button>
      {methods.includes("totp") && methods.includes("recovery_code") && (
        <Button
          variant="subtle"
          onClick={() => {
            setText("");
            setIsRecovery(!isRecovery);
          }}
        >
          {t(isRecovery ? "factors.use_app_code" : "factors.use_recovery_code")}
        </Button>
      )}
    </form>
  );
}
