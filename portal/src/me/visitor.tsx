// Who it was: a name where there is a public profile, else what they are and where they work.
import { useQuery } from "@tanstack/react-query";
import { sayOf, useSay } from "../messages/index.ts";
import { readHospital } from "../patients/api.ts";
import { useMe } from "../session/use-session.ts";
import { type AccessEvent, listPractitioners } from "./api.ts";

/** Names of people and of hospitals hardly ever change. */
const LASTING_MS = 300_000;

export function Visitor({ event }: { event: AccessEvent }) {
  const say = useSay();
  const { user_id } = useMe();
  const { actor, actor_hospital_id, hospital_id } = event;
  const where = actor_hospital_id ?? hospital_id;
  const staff = actor.kind === "user" && actor.id !== user_id;
  const people = useQuery({
    queryKey: ["me", "practitioners"],
    queryFn: listPractitioners,
    staleTime: LASTING_MS,
    enabled: staff,
  });
  const hospital = useQuery({
    queryKey: ["me", "hospital", where],
    queryFn: () => readHospital(where ?? ""),
    staleTime: LASTING_MS,
    enabled: staff && where !== null,
  });
  if (actor.kind === "device") return say("me.a_device");
  if (actor.kind === "app") return say("me.a_program");
  if (!staff) return say(actor.kind === "user" ? "me.you" : "me.the_service");
  const role = sayOf("role", actor.role ?? "");
  const name = people.data?.items.find((person) => person.user_id === actor.id)?.full_name;
  return [name, role || say("common.unknown"), hospital.data?.name].filter(Boolean).join(", ");
}
