// Accepts an invitation with a new or an existing account.
import { Button, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { toProblem, withErrorMessages } from "../../platform/api/problem.ts";
import { type FieldErrors, Form, validateRequired } from "../../platform/design/form.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { landingPath } from "../../shell/navigation.ts";
import { acceptInvitation, joinHospital } from "./invitation-api.ts";
import { isPasswordLongEnough, NewPasswordInput } from "./new-password-input.tsx";
import { currentSession, type Me, signOut, switchHospital } from "./session.ts";
import { SignInForm } from "./sign-in-form.tsx";

export function AcceptInvitation({ token }: { token: string }) {
  const t = useTranslation();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [hasAccount, setHasAccount] = useState(false);
  if (hasAccount) {
    return (
      <>
        <p>{t("session.sign_in_to_join")}</p>
        <SignInForm />
        <Button variant="subtle" onClick={() => setHasAccount(false)}>
          {t("session.no_account_yet")}
        </Button>
      </>
    );
  }
  const validate = (): FieldErrors => ({
    ...(!isPasswordLongEnough(password) && { password: t("session.password_short") }),
    ...validateRequired({ password }),
  });
  async function accept() {
    const errorMessages = {
      weak_password: t("session.weak_password"),
      link_invalid: t("session.link_invalid"),
      registration_refused: t("session.username_taken"),
      already_exists: t("session.account_exists"),
    };
    const acceptance = {
      token,
      password,
      ...(name.trim() && { full_name: name.trim() }),
      ...(username.trim() && { username: username.trim() }),
    };
    await withErrorMessages(acceptInvitation(acceptance), errorMessages).catch((error: unknown) => {
      if (toProblem(error).code === "already_exists") setHasAccount(true);
      throw error;
    });
    const session = currentSession();
    if ("me" in session) await navigate({ to: landingPath(session.me.role), replace: true });
  }
  return (
    <>
      <p>{t("session.invitation_text")}</p>
      <Form
        submitLabel={t("session.accept")}
        validate={validate}
        onSubmit={accept}
        labels={{
          full_name: t("session.full_name"),
          username: t("session.username"),
          password: t("session.password"),
        }}
      >
        {(field) => (
          <>
            <TextInput
              {...field("full_name")}
              label={t("session.full_name")}
              description={t("session.full_name_hint")}
              value={name}
              onChange={(event) => setName(event.target.value)}
              autoComplete="name"
            />
            <TextInput
              {...field("username")}
              label={t("session.username")}
              description={t("session.username_hint")}
              value={username}
              onChange={(event) => setUsername(event.target.value)}
              autoComplete="username"
            />
            <NewPasswordInput {...field("password")} value={password} onChange={setPassword} />
          </>
        )}
      </Form>
      <Button variant="subtle" onClick={() => setHasAccount(true)}>
        {t("session.have_account")}
      </Button>
    </>
  );
}

/** For a signed-in user: their other sessions end. */
export function JoinHospital({ token, me }: { token: string; me: Me }) {
  const t = useTranslation();
  const [membership, setMembership] = useState<Awaited<ReturnType<typeof joinHospital>> | null>(null);
  if (membership) {
    return (
      <>
        <p role="status">{t("session.joined", { role: translateCode("role", membership.role) })}</p>
        <Button onClick={() => void switchHospital(membership.hospital_id)}>{t("session.work_there")}</Button>
      </>
    );
  }
  const errorMessages = {
    link_invalid: t("session.link_not_yours"),
    password_given: t("session.choose_password_first"),
  };
  return (
    <>
      <p>{t("session.join_text", { name: me.full_name, email: me.email })}</p>
      <Form
        submitLabel={t("session.join")}
        onSubmit={async () => setMembership(await withErrorMessages(joinHospital(token), errorMessages))}
      >
        {() => null}
      </Form>
      <Button variant="subtle" onClick={() => void signOut()}>
        {t("session.not_me")}
      </Button>
    </>
  );
}
