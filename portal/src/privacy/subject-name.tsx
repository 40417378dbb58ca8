// The person whose access is reviewed.
import { useMe } from "../accounts/session/use-session.ts";
import { useColleagueName } from "../organization/hospitals/use-colleagues.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import type { ListedReview } from "./api.ts";

export function SubjectName({ review: { hospital_id, subject_user_id } }: { review: ListedReview }) {
  const t = useTranslation();
  const { user_id } = useMe();
  const nameOf = useColleagueName(hospital_id);
  if (subject_user_id === null) return t("privacy.no_person");
  if (subject_user_id === user_id) return t("privacy.you");
  return nameOf(subject_user_id) ?? t("privacy.somebody");
}
