// Who requested, decided or set something, for administrators.
import { useMe } from "../accounts/session/use-session.ts";
import { useColleagues } from "../organization/hospitals/use-colleagues.ts";
import { useTranslation } from "../platform/messages/translate.ts";

export function StaffName({ hospitalId, userId }: { hospitalId: string; userId: string | null }) {
  const t = useTranslation();
  const { user_id } = useMe();
  const { data, error } = useColleagues(hospitalId);
  if (userId === null) return t("common.none");
  if (userId === user_id) return t("erasure.you");
  if (!data) return error ? t("common.unknown") : "…";
  return data.find((person) => person.user_id === userId)?.full_name ?? t("erasure.somebody");
}
