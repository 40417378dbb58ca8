// Sign-in form; one message for every wrong name or password, so that it does not reveal which field was wrong.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { type FormEvent, lazy, Suspense, useState } from "react";
import { toProblem } from "../../platform/api/problem.ts";
import layout from "../../platform/design/layout.module.css";
import { ErrorId } from "../../platform/design/query-states.tsx";
import { type PlainMessageKey, useTranslation } from "../../platform/messages/translate.ts";
import { finishSignIn, readTicket, type SecondStepTicket } from "../factors/sign-in-api.ts";
import { signIn } from "./session.ts";

/** Passkeys and codes are no part of the first page of everybody. */
const FactorAnswerForm = lazy(() =>
  import("../factors/factor-answer-form.tsx").then((module) => ({ default: module.FactorAnswerForm })),
);
const PasskeySignIn = lazy(() => import("../factors/passkey-sign-in.tsx").then((module) => ({ default: module.PasskeySignIn })));

const MESSAGES_BY_CODE: Record<string, PlainMessageKey> = {
  unreachable: "shell.unreachable",
  unexpected: "common.unexpected",
  rate_limited: "session.slow_down",
  account_locked: "session.locked",
  invalid_ticket: "factors.ticket_over",
  invalid_passkey: "factors.wrong_passkey",
  passkey_cancelled: "factors.passkey_cancelled",
};

export function SignInForm({ onDone }: { onDone?: () => void }) {
  const t = useTranslation();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [state, setState] = useState<{ busy: boolean; error: unknown }>({ busy: false, error: null });
  const [ticket, setTicket] = useState<SecondStepTicket | null>(null);
  const problem = state.error ? toProblem(state.error) : null;

  async function handleSubmit(event: FormEvent) {
    event.preventDefault();
    setState({ busy: true, error: null });
    try {
      await signIn(name.trim(), password);
      onDone?.();
    } catch (error) {
      const asked = readTicket(toProblem(error));
      setTicket(asked);
      setState({ busy: false, error: asked ? null : error });
    }
  }

  function returnToPassword(error: unknown) {
    setTicket(null);
    setPassword("");
    setState({ busy: false, error });
  }

  if (ticket) return <SecondStep ticket={ticket} onDone={onDone} onBack={returnToPassword} />;
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
        autoComplete="username webauthn"
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
      <Suspense>
        <PasskeySignIn onDone={() => onDone?.()} onError={(error) => setState({ busy: false, error })} />
      </Suspense>
    </form>
  );
}

type SecondStepProps = { ticket: SecondStepTicket; onDone: (() => void) | undefined; onBack: (error: unknown) => void };

/** A ticket that is over leads back to the password; other failures are shown here. */
function SecondStep({ ticket, onDone, onBack }: SecondStepProps) {
  const t = useTranslation();
  return (
    <section aria-label={t("factors.second_step")} className={layout.stack}>
      <p role="status">{t("factors.second_step_text")}</p>
      <Suspense>
        <FactorAnswerForm
          methods={ticket.methods}
          passkeyOptions={ticket.passkeyOptions}
          submitLabel={t("session.sign_in")}
          cancelLabel={t("common.back")}
          onAnswer={async (answer) => {
            try {
              await finishSignIn(ticket.ticket, answer);
              onDone?.();
            } catch (error) {
              if (toProblem(error).code !== "invalid_ticket") throw error;
              onBack(error);
            }
          }}
          onCancel={() => onBack(null)}
        />
      </Suspense>
    </section>
  );
}
