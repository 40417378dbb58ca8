// Input for a new password.
import { PasswordInput } from "@mantine/core";
import { useTranslation } from "../../platform/messages/translate.ts";

const MIN_PASSWORD_LENGTH = 15;
/** Early check; the API decides. */
export const isPasswordLongEnough = (password: string) => Array.from(password).length >= MIN_PASSWORD_LENGTH;

type NewPasswordInputProps = {
  id: string;
  error: string | undefined;
  value: string;
  onChange: (password: string) => void;
};

export function NewPasswordInput({ onChange, ...input }: NewPasswordInputProps) {
  const t = useTranslation();
  return (
    <PasswordInput
      {...input}
      label={t("session.password")}
      description={t("session.password_hint")}
      onChange={(event) => onChange(event.target.value)}
      autoComplete="new-password"
      visibilityToggleButtonProps={{ "aria-label": t("session.show_password") }}
    />
  );
}
