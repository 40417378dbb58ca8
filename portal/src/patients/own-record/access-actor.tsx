// Actor of an access or a change: name, role and hospital.
import { useQuery } from "@tanstack/react-query";
import { useMe } from "../../accounts/session/use-session.ts";
import { hospitalQuery } from "../../organization/hospitals/use-hospitals.ts";
import { NAMES_STALE_MS } from "../../platform/api/query-client.ts";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import type { AccessEvent } from "./api.ts";

type AccessActorProps = { actor: AccessEvent["actor"]; actorHospitalId: string | null };

export function AccessActor({ actor, actorHospitalId: hospitalId }: AccessActorProps) {
  const t = useTranslation();
  const { user_id, patients } = useMe();
  const isStaffMember = actor.kind === "user" && actor.id !== user_id;
  // That of the own records comes with the session.
  const ownHospitalName = patients.find((record) => record.hospital_id === hospitalId)?.hospital_name;
  const hospital = useQuery({
    ...hospitalQuery(hospitalId ?? ""),
    staleTime: NAMES_STALE_MS,
    enabled: isStaffMember && hospitalId !== null && ownHospitalName === undefined,
  });
  if (actor.kind === "device") return t("me.a_device");
  if (actor.kind === "app") return t("me.a_program");
  if (!isStaffMember) return t(actor.kind === "user" ? "me.you" : "me.the_service");
  const role = translateCode("role", actor.role ?? "");
  return [actor.name, role || t("common.unknown"), ownHospitalName ?? hospital.data?.data.name].filter(Boolean).join(", ");
}
