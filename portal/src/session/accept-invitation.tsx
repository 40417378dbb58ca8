// Takes an invitation: with a new account, or with the account that the person has.
import { Button, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { asProblem, explained } from "../api/problem.ts";
import { type FieldErrors, Form, requiredIn } from "../design/form.tsx";
import { sayOf, useSay } from "../messages/index.ts";
import { landingOf } from "../shell/navigation.ts";
import { acceptInvitation, joinHospital } from "./accounts.ts";
import { isLongEnough, NewPasswordInput } from "./new-password-input.tsx";
import { current, type Me, signOut, switchHospital } from "./session.ts";
import { SignInForm } from "./sign-in-form.tsx";

export function AcceptInvitation({ token }: { token: string }) {
  const say = useSay();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [hasAccount, setHasAccount] = useState(false);
  if (hasAccount) {
    return (
      <>
        <p>{say("session.sign_in_to_join")}</p>
        <SignInForm />
        <Button variant="subtle" onClick={() => setHasAccount(false)}>
          {say("session.no_account_yet")}
        </Button>
      </>
    );
  }
  const check = (): FieldErrors => ({
    ...(!isLongEnough(password) && { password: say("session.password_short") }),
    ...requiredIn({ password }),
  });
  async function accept() {
    const words = {
      weak_password: say("session.weak_password"),
      link_invalid: say("session.link_invalid"),
      registration_refused: say("session.username_taken"),
      already_exists: say("session.account_exists"),
    };
    const acceptance = {
      token,
      password,
      ...(name.trim() && { full_name: name.trim() }),
      ...(username.trim() && { username: username.trim() }),
    };
    await explained(acceptInvitation(acceptance), words).catch((error: unknown) => {
      if (asProblem(error).code === "already_exists") setHasAccount(true);
      throw error;
    });
    const session = current();
    if ("me" in session) await navigate({ to: landingOf(session.me.role), replace: true });
  }
  return (
    <>
      <p>{say("session.invitation_text")}</p>
      <Form
        submit={say("session.accept")}
        check={check}
        onSubmit={accept}
        labels={{
          full_name: say("session.full_name"),
          username: say("session.username"),
          password: say("session.password"),
        }}
      >
        {(field) => (
          <>
            <TextInput
              {...field("full_name")}
              label={say("session.full_name")}
              description={say("session.full_name_hint")}
              value={name}
              onChange={(event) => setName(event.target.value)}
              autoComplete="name"
            />
            <TextInput
              {...field("username")}
              label={say("session.username")}
              description={say("session.username_hint")}
              value={username}
              onChange={(event) => setUsername(event.target.value)}
              autoComplete="username"
            />
            <NewPasswordInput {...field("password")} value={password} onChange={setPassword} />
          </>
        )}
      </Form>
      <Button variant="subtle" onClick={() => setHasAccount(true)}>
        {say("session.have_account")}
      </Button>
    </>
  );
}

/** For who is signed in: their other sessions end with it. */
export function Join({ token, me }: { token: string; me: Me }) {
  const say = useSay();
  const [joined, setJoined] = useState<Awaited<ReturnType<typeof joinHospital>> | null>(null);
  if (joined) {
    return (
      <>
        <p role="status">{say("session.joined", { role: sayOf("role", joined.role) })}</p>
        <Button onClick={() => void switchHospital(joined.hospital_id)}>{say("session.work_there")}</Button>
      </>
    );
  }
  const words = {
    link_invalid: say("session.link_not_yours"),
    password_given: say("session.choose_password_first"),
  };
  return (
    <>
      <p>{say("session.join_text", { name: me.full_name, email: me.email })}</p>
      <Form submit={say("session.join")} onSubmit={async () => setJoined(await explained(joinHospital(token), words))}>
        {() => null}
      </Form>
      <Button variant="subtle" onClick={() => void signOut()}>
        {say("session.not_me")}
      </Button>
    </>
  );
}
