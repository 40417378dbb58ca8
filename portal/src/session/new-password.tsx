// A new password by the link that an administrator handed over.
import { useState } from "react";
import { explained } from "../api/problem.ts";
import { Form, requiredIn } from "../design/form.tsx";
import { useSay } from "../messages/index.ts";
import { setPassword } from "./accounts.ts";
import { isLongEnough, NewPasswordInput } from "./new-password-input.tsx";

export function NewPassword({ token }: { token: string }) {
  const say = useSay();
  const [password, setValue] = useState("");
  const [done, setDone] = useState(false);
  if (done) {
    return (
      <>
        <p role="status">{say("session.password_set")}</p>
        <a href="/login">{say("session.sign_in")}</a>
      </>
    );
  }
  return (
    <>
      <p>{say("session.new_password_text")}</p>
      <Form
        submit={say("session.set_password")}
        check={() => ({
          ...(!isLongEnough(password) && { new_password: say("session.password_short") }),
          ...requiredIn({ new_password: password }),
        })}
        onSubmit={async () => {
          const words = { weak_password: say("session.weak_password"), link_invalid: say("session.link_invalid") };
          await explained(setPassword(token, password), words);
          setDone(true);
        }}
        labels={{ new_password: say("session.password") }}
      >
        {(field) => <NewPasswordInput {...field("new_password")} value={password} onChange={setValue} />}
      </Form>
    </>
  );
}
