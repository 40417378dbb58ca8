// A password that somebody chooses.
import { PasswordInput } from "@mantine/core";
import { useSay } from "../messages/index.ts";

const SHORTEST = 15;
/** The API has the last word; this says it before anything is sent. */
export const isLongEnough = (password: string) => Array.from(password).length >= SHORTEST;

type NewPasswordInputProps = {
  id: string;
  error: string | undefined;
  value: string;
  onChange: (password: string) => void;
};

export function NewPasswordInput({ onChange, ...input }: NewPasswordInputProps) {
  const say = useSay();
  return (
    <PasswordInput
      {...input}
      label={say("session.password")}
      description={say("session.password_hint")}
      onChange={(event) => onChange(event.target.value)}
      autoComplete="new-password"
      visibilityToggleButtonProps={{ "aria-label": say("session.show_password") }}
    />
  );
}
