// The code that a hospital gave, typed in here, ties its record to the login.
import { TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem, Problem } from "../api/problem.ts";
import { type FieldErrors, Form } from "../design/form.tsx";
import { type PlainKey, useSay } from "../messages/index.ts";
import { reloadMe } from "../session/session.ts";
import { claimRecord } from "./api.ts";
import classes from "./me.module.css";

const REFUSALS: Record<string, PlainKey> = {
  not_found: "me.claim.wrong",
  password_given: "me.claim.password_given",
};

/** As the API takes it: twelve letters and digits, however they are grouped. */
const isCode = (text: string) => /^[a-z2-7]{12}$/.test(text.toLowerCase().replace(/[\s-]/g, ""));

export function ClaimRecord() {
  const say = useSay();
  const client = useQueryClient();
  const [code, setCode] = useState("");
  const [done, setDone] = useState(false);

  const check = (): FieldErrors => (isCode(code) ? {} : { code: say("me.claim.shape") });
  async function claim(): Promise<void> {
    setDone(false);
    try {
      await claimRecord(code);
    } catch (error) {
      const { status, code: why, message, errorId } = asProblem(error);
      const known = REFUSALS[why];
      throw known ? new Problem(status, why, message, errorId, [{ path: "code", message: say(known), code: why }]) : error;
    }
    setCode("");
    setDone(true);
    // It is done, whether or not it can be shown at once.
    void client.invalidateQueries({ queryKey: ["me"] });
    reloadMe().catch(() => undefined);
  }

  return (
    <div className={classes.form}>
      <Form submit={say("me.claim.submit")} check={check} onSubmit={claim} labels={{ code: say("me.claim.code") }}>
        {(field) => (
          <TextInput
            {...field("code")}
            label={say("me.claim.code")}
            description={say("me.claim.hint")}
            value={code}
            onChange={(event) => setCode(event.target.value)}
            autoComplete="off"
            autoCapitalize="characters"
            spellCheck={false}
          />
        )}
      </Form>
      <p role="status">{done && say("me.claim.done")}</p>
    </div>
  );
}
