// The e-mail address of the account: whether it is verified, another verification mail, and a change.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { Problem, toProblem, withErrorMessages } from "../../platform/api/problem.ts";
import { type FieldErrors, Form, validateRequired } from "../../platform/design/form.tsx";
import { Card } from "../../platform/design/page.tsx";
import { ActionError } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import classes from "../session/account.module.css";
import { useMe } from "../session/use-session.ts";
import { isAddress } from "./addresses.ts";
import { changeAddress, resendVerification } from "./api.ts";

export function AddressCard() {
  const t = useTranslation();
  const { email, email_verified } = useMe();
  return (
    <Card title={t("email.title")}>
      <p>
        <strong>{email}</strong> ({t(email_verified ? "email.verified" : "email.unverified")})
      </p>
      {!email_verified && <Resend />}
      <ChangeForm />
    </Card>
  );
}

function Resend() {
  const t = useTranslation();
  const [state, setState] = useState<{ step: "open" | "busy" | "sent"; error: unknown }>({ step: "open", error: null });
  async function send() {
    setState({ step: "busy", error: null });
    try {
      await withErrorMessages(resendVerification(), { conflict: t("email.already_verified") });
      setState({ step: "sent", error: null });
    } catch (error) {
      setState({ step: "open", error: explainMailLimit(error, t("email.too_often")) });
    }
  }
  return (
    <div className={classes.facts}>
      <p className={classes.note}>{t("email.unverified_text")}</p>
      <Button variant="default" mt="xs" onClick={send} loading={state.step === "busy"}>
        {t("email.send_again")}
      </Button>
      <ActionError error={state.error} />
      <p role="status">{state.step === "sent" && t("email.sent_again")}</p>
    </div>
  );
}

/** Gives the limit of mails a code of its own: the text of `rate_limited` asks to wait a moment, and this one lasts longer. */
function explainMailLimit(error: unknown, text: string): unknown {
  const { status, code, errorId } = toProblem(error);
  return code === "rate_limited" ? new Problem(status, "mail_limit", text, errorId) : error;
}

const EMPTY_DRAFT = { email: "", password: "" };

function ChangeForm() {
  const t = useTranslation();
  const [draft, setDraft] = useState(EMPTY_DRAFT);
  const [isSent, setIsSent] = useState(false);
  const validate = (): FieldErrors => ({
    ...(!isAddress(draft.email) && { email: t("patients.email_wrong") }),
    ...validateRequired({ password: draft.password }),
  });
  async function change() {
    setIsSent(false);
    await changeAddress(draft.email.trim(), draft.password).catch((error: unknown) => {
      const { status, code, message, errorId } = toProblem(error);
      const texts: Record<string, string> = { wrong_password: t("session.wrong_password"), account_locked: t("session.locked") };
      const text = texts[code];
      if (text !== undefined) throw new Problem(status, code, message, errorId, [{ path: "password", message: text, code }]);
      throw explainMailLimit(error, t("email.too_often"));
    });
    setDraft(EMPTY_DRAFT);
    setIsSent(true);
  }
  return (
    <>
      <Form
        submitLabel={t("email.change")}
        validate={validate}
        onSubmit={change}
        labels={{ email: t("email.new_address"), password: t("session.current_password") }}
      >
        {(field) => (
          <>
            <TextInput
              {...field("email")}
              label={t("email.new_address")}
              type="email"
              value={draft.email}
              onChange={(event) => setDraft({ ...draft, email: event.target.value })}
              autoComplete="email"
            />
            <PasswordInput
              {...field("password")}
              label={t("session.current_password")}
              value={draft.password}
              onChange={(event) => setDraft({ ...draft, password: event.target.value })}
              autoComplete="current-password"
              visibilityToggleButtonProps={{ "aria-label": t("session.show_password") }}
            />
          </>
        )}
      </Form>
      <p role="status">{isSent && t("email.change_sent")}</p>
    </>
  );
}
