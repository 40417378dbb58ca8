// What the removal of a passkey or of the authenticator app leads to.
import { useQuery } from "@tanstack/react-query";
import { serverNow } from "../../monitoring/live/server-clock.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import { useMe } from "../session/use-session.ts";
import { factorsQuery } from "./use-factors.ts";

export function RemovalText() {
  const t = useTranslation();
  const { user_id, second_step } = useMe();
  const { data } = useQuery(factorsQuery(user_id));
  const isLast = data !== undefined && data.passkeys.length + (data.totp ? 1 : 0) === 1;
  const isRequired = second_step.required_from !== null && Date.parse(second_step.required_from) <= serverNow();
  return (
    <>
      <p>{t("factors.remove_text")}</p>
      {isLast && isRequired && (
        <p>
          <strong>{t("factors.remove_required")}</strong>
        </p>
      )}
    </>
  );
}
