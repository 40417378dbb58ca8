// Form that links a hospital record to the account with an access code.
import { TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { reloadMe } from "../../accounts/session/session.ts";
import { Problem, toProblem } from "../../platform/api/problem.ts";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { type PlainMessageKey, useTranslation } from "../../platform/messages/translate.ts";
import { claimRecord } from "./api.ts";
import classes from "./me.module.css";

const FIELD_MESSAGES: Record<string, PlainMessageKey> = {
  not_found: "me.claim.wrong",
  password_given: "me.claim.password_given",
};

/** Normalised code as the API takes it: twelve characters without separators. */
const isClaimCode = (text: string) => /^[a-z2-7]{12}$/.test(text.toLowerCase().replace(/[\s-]/g, ""));

export function ClaimRecord() {
  const t = useTranslation();
  const queryClient = useQueryClient();
  const [code, setCode] = useState("");
  const [isDone, setIsDone] = useState(false);

  const validate = (): FieldErrors => (isClaimCode(code) ? {} : { code: t("me.claim.shape") });
  async function submitCode(): Promise<void> {
    setIsDone(false);
    try {
      await claimRecord(code);
    } catch (error) {
      const { status, code: problemCode, message, errorId } = toProblem(error);
      const messageKey = FIELD_MESSAGES[problemCode];
      throw messageKey
        ? new Problem(status, problemCode, message, errorId, [{ path: "code", message: t(messageKey), code: problemCode }])
        : error;
    }
    setCode("");
    setIsDone(true);
    // The record is linked even if the page cannot be refreshed now.
    void queryClient.invalidateQueries({ queryKey: ["me"] });
    reloadMe().catch(() => undefined);
  }

  return (
    <div className={classes.form}>
      <Form submitLabel={t("me.claim.submit")} validate={validate} onSubmit={submitCode} labels={{ code: t("me.claim.code") }}>
        {(field) => (
          <TextInput
            {...field("code")}
            label={t("me.claim.code")}
            description={t("me.claim.hint")}
            value={code}
            onChange={(event) => setCode(event.target.value)}
            autoComplete="off"
            autoCapitalize="characters"
            spellCheck={false}
          />
        )}
      </Form>
      <p role="status">{isDone && t("me.claim.done")}</p>
    </div>
  );
}
