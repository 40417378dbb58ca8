// Why the service refused a set, in the language of the portal where the reason is known.
import type { t as Translate } from "../../platform/messages/translate.ts";
import type { Refusal } from "./waiting-set.ts";

export function describeRefusal({ status, code, message, serverScore }: Refusal, t: typeof Translate): string {
  if (code === "score_changed")
    return serverScore === null ? t("set.server_no_score") : t("set.server_score", { score: serverScore.score });
  if (code === "scale_changed") return t("set.scale_changed");
  if (code === "too_old") return t("set.fault.too_old");
  if (code === "limit_reached") return t("set.refused.limit");
  if (status === 403 || status === 404) return t("set.refused.no_access");
  return message === "" ? t("set.refused.other") : message;
}
