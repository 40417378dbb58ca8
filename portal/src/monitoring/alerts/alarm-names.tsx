// Names of patients and staff for alarms: live frames carry only ids.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMe } from "../../accounts/session/use-session.ts";
import { userQuery } from "../../accounts/users/use-user.ts";
import { useColleagueName, useColleagues } from "../../organization/hospitals/use-colleagues.ts";
import { careTeamQuery } from "../../patients/record/record-api.ts";
import { patientQuery } from "../../patients/record/use-patient-record.ts";
import { NAMES_STALE_MS, queryClient } from "../../platform/api/query-client.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import type { Board } from "../board/api.ts";
import classes from "./alarm-card.module.css";
import { listMonitoredPatients, type PatientLabel, toPatientLabel } from "./api.ts";

const monitoredQuery = queryOptions({
  queryKey: ["patients", "monitored_names"],
  queryFn: listMonitoredPatients,
  staleTime: NAMES_STALE_MS,
});

/** Boards that were read: they name their patients, and the staff of their alarms. */
const getBoards = (): Board[] =>
  queryClient.getQueriesData<Board>({ queryKey: ["ward", "board"] }).flatMap(([, board]) => board ?? []);

/** The name that some answer had already. */
export function getCachedPatient(patientId: string): PatientLabel | undefined {
  const record = queryClient.getQueryData(patientQuery(patientId).queryKey);
  if (record) return toPatientLabel(record.data);
  const onBoard = getBoards()
    .flatMap(({ patients }) => patients)
    .find(({ patient_id }) => patient_id === patientId);
  if (onBoard) return toPatientLabel(onBoard);
  return queryClient.getQueryData(monitoredQuery.queryKey)?.find(({ id }) => id === patientId);
}

/** Loads the names of all monitored patients unless they are there. */
export const loadPatientNames = (): Promise<unknown> => queryClient.fetchQuery(monitoredQuery);

export function usePatientLabel(patientId: string): PatientLabel | undefined {
  const cached = getCachedPatient(patientId);
  const monitored = useQuery({ ...monitoredQuery, enabled: cached === undefined });
  const listed = monitored.data?.find(({ id }) => id === patientId);
  const single = useQuery({
    ...patientQuery(patientId),
    select: ({ data }) => toPatientLabel(data),
    staleTime: NAMES_STALE_MS,
    enabled: cached === undefined && !monitored.isPending && !listed,
  });
  return cached ?? listed ?? single.data;
}

/** Patient of an alarm: name, number and link. */
export function PatientName({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const person = usePatientLabel(patientId);
  return (
    <Link to="/patients/$patientId" params={{ patientId }} className={classes.patient}>
      {person ? `${person.name} · ${t("common.number", { n: person.number })}` : t("alarms.open_patient")}
    </Link>
  );
}

/** Staff name: the user, a colleague, or a former colleague. */
export function useStaffName(userId: string | null): string {
  const t = useTranslation();
  const me = useMe();
  const isOwn = userId === me.user_id;
  const onBoard = getBoards()
    .flatMap(({ staff }) => staff)
    .find(({ user_id }) => user_id === userId);
  const getColleagueName = useColleagueName(userId === null || isOwn || onBoard ? null : me.hospital?.id);
  const user = useQuery({
    ...userQuery(userId ?? ""),
    staleTime: NAMES_STALE_MS,
    enabled: userId !== null && !isOwn && !onBoard && me.role === "admin",
  });
  if (userId === null) return t("alarms.system");
  if (isOwn) return t("alarms.you");
  return onBoard?.full_name ?? getColleagueName(userId) ?? user.data?.data.full_name ?? t("alarms.colleague");
}

export function StaffName({ userId }: { userId: string | null }) {
  return useStaffName(userId);
}

/** Possible assignees: the care team first, then other nurses and doctors of the hospital. */
export function useAssignableStaff(patientId: string, isEnabled: boolean): { id: string; name: string }[] {
  const me = useMe();
  const team = useQuery({
    ...careTeamQuery(patientId),
    staleTime: NAMES_STALE_MS,
    enabled: isEnabled,
  });
  const colleagues = useColleagues(isEnabled ? me.hospital?.id : null).data ?? [];
  const others = colleagues.filter(({ is_active, role }) => is_active && role !== "hospital_admin");
  const byId = new Map([...(team.data ?? []), ...others].map(({ user_id, full_name }) => [user_id, full_name]));
  byId.delete(me.user_id);
  return [...byId].map(([id, name]) => ({ id, name }));
}
