// Names of patients and of staff for alarms, whose frames carry ids alone.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { queries } from "../api/queries.ts";
import { LASTING_MS, useColleagues } from "../hospitals/use-colleagues.ts";
import { useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import classes from "./alarm-card.module.css";
import { listTeam, listWatched, type Person, readPerson, readUser } from "./api.ts";

const WATCHED = ["alarms", "watched"] as const;

/** A name that is known already, for what is announced at once. */
export const knownPerson = (patientId: string): Person | undefined =>
  queries.getQueryData<Person[]>(WATCHED)?.find(({ id }) => id === patientId) ??
  queries.getQueryData<Person>(["alarms", "person", patientId]);

export const useWatched = (enabled = true) =>
  useQuery({ queryKey: WATCHED, queryFn: listWatched, staleTime: LASTING_MS, enabled });

export function usePerson(patientId: string): Person | undefined {
  const watched = useWatched();
  const listed = watched.data?.find(({ id }) => id === patientId);
  const alone = useQuery({
    queryKey: ["alarms", "person", patientId],
    queryFn: () => readPerson(patientId),
    staleTime: LASTING_MS,
    enabled: !watched.isPending && !listed,
  });
  return listed ?? alone.data;
}

/** The patient of an alarm: name, number, and the way to the page. */
export function PatientName({ patientId }: { patientId: string }) {
  const say = useSay();
  const person = usePerson(patientId);
  return (
    <Link to="/patients/$patientId" params={{ patientId }} className={classes.patient}>
      {person ? `${person.name} · ${say("common.number", { n: person.number })}` : say("alarms.open_patient")}
    </Link>
  );
}

/** Who did something: oneself, somebody of the hospital, or a colleague who has left. */
export function useStaffName(userId: string | null): string {
  const say = useSay();
  const me = useMe();
  const mine = userId === me.user_id;
  const colleagues = useColleagues(me.hospital?.id);
  const colleague = colleagues.data?.find(({ user_id }) => user_id === userId);
  const user = useQuery({
    queryKey: ["alarms", "user", userId],
    queryFn: () => readUser(userId ?? ""),
    staleTime: LASTING_MS,
    enabled: userId !== null && !mine && me.role === "admin",
  });
  if (userId === null) return say("alarms.system");
  if (mine) return say("alarms.you");
  return (colleague ?? user.data)?.full_name ?? say("alarms.colleague");
}

export function StaffName({ userId }: { userId: string | null }) {
  return useStaffName(userId);
}

/** To whom an alarm can be given: the care team first, then who else nurses or treats here. */
export function useAssignable(patientId: string, asked: boolean): { id: string; name: string }[] {
  const me = useMe();
  const team = useQuery({
    queryKey: ["alarms", "team", patientId],
    queryFn: () => listTeam(patientId),
    staleTime: LASTING_MS,
    enabled: asked,
  });
  const colleagues = useColleagues(me.hospital?.id).data ?? [];
  const others = colleagues.filter(({ is_active, role }) => is_active && role !== "hospital_admin");
  const byId = new Map([...(team.data ?? []), ...others].map(({ user_id, full_name }) => [user_id, full_name]));
  byId.delete(me.user_id);
  return [...byId].map(([id, name]) => ({ id, name }));
}
