// Form to change the password: current password and the new one twice. All other sessions end.
import { PasswordInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Problem, toProblem } from "../../platform/api/problem.ts";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { type PlainMessageKey, useTranslation } from "../../platform/messages/translate.ts";
import { changePassword } from "./account-api.ts";

const MIN_PASSWORD_LENGTH = 15;
const EMPTY_DRAFT = { current_password: "", new_password: "", again: "" };
type FieldName = keyof typeof EMPTY_DRAFT;
const LABELS: Record<FieldName, PlainMessageKey> = {
  current_password: "session.current_password",
  new_password: "session.new_password",
  again: "session.new_password_again",
};

/** Maps API errors to the field that they concern. */
function withFieldError(error: unknown, t: ReturnType<typeof useTranslation>): unknown {
  const { status, code, message, errorId, errors } = toProblem(error);
  const problemAt = (path: FieldName, key: PlainMessageKey) =>
    new Problem(status, code, message, errorId, [{ path, message: t(key), code }]);
  if (code === "wrong_password") return problemAt("current_password", "session.wrong_password");
  if (code === "account_locked") return problemAt("current_password", "session.locked");
  if (errors.some((one) => one.code === "weak_password")) return problemAt("new_password", "session.weak_password");
  return error;
}

export function PasswordForm() {
  const t = useTranslation();
  const client = useQueryClient();
  const [draft, setDraft] = useState(EMPTY_DRAFT);
  const [isSaved, setIsSaved] = useState(false);
  const validate = (): FieldErrors => ({
    ...(draft.current_password === "" && { current_password: t("common.required") }),
    ...(Array.from(draft.new_password).length < MIN_PASSWORD_LENGTH && { new_password: t("session.password_short") }),
    ...(draft.again !== draft.new_password && { again: t("session.passwords_differ") }),
  });
  async function save(): Promise<void> {
    setIsSaved(false);
    await changePassword(draft.current_password, draft.new_password).catch((error: unknown) => {
      throw withFieldError(error, t);
    });
    setDraft(EMPTY_DRAFT);
    setIsSaved(true);
    await client.invalidateQueries({ queryKey: ["account", "sessions"] });
  }
  return (
    <>
      <Form
        submitLabel={t("session.change_password")}
        validate={validate}
        onSubmit={save}
        labels={Object.fromEntries(Object.entries(LABELS).map(([name, key]) => [name, t(key)]))}
      >
        {(field) =>
          (["current_password", "new_password", "again"] as const).map((name) => (
            <PasswordInput
              key={name}
              {...field(name)}
              label={t(LABELS[name])}
              description={name === "new_password" ? t("session.password_hint") : undefined}
              value={draft[name]}
              onChange={(event) => setDraft({ ...draft, [name]: event.target.value })}
              autoComplete={name === "current_password" ? "current-password" : "new-password"}
              visibilityToggleButtonProps={{ "aria-label": t("session.show_password") }}
            />
          ))
        }
      </Form>
      <p role="status">{isSaved && t("session.password_changed")}</p>
    </>
  );
}
