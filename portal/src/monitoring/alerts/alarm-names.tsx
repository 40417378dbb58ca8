// Names of patients and staff for alarms: live frames carry only ids.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMe } from "../../accounts/session/use-session.ts";
import { userQuery } from "../../accounts/users/use-user.ts";
import { useColleagueName, useColleagues } from "../../organization/hospitals/use-colleagues.ts";
import { careTeamQuery } from "../../patients/record/record-api.ts";
import { patientQuery } from "../../patients/record/use-patient-record.ts";
import { NAMES_STALE_MS, queryClient } from "../../platform/api/query-client.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import classes from "./alarm-card.module.css";
import { listMonitoredPatients, type PatientLabel, toPatientLabel } from "./api.ts";

const MONITORED_KEY = ["patients", "monitored_names"] as const;

/** Cached name, for immediate announcements. */
export function getCachedPatient(patientId: string): PatientLabel | undefined {
  const record = queryClient.getQueryData(patientQuery(patientId).queryKey);
  if (record) return toPatientLabel(record.data);
  return queryClient.getQueryData<PatientLabel[]>(MONITORED_KEY)?.find(({ id }) => id === patientId);
}

export const useMonitoredPatients = (enabled = true) =>
  useQuery({ queryKey: MONITORED_KEY, queryFn: listMonitoredPatients, staleTime: NAMES_STALE_MS, enabled });

export function usePatientLabel(patientId: string): PatientLabel | undefined {
  const monitored = useMonitoredPatients();
  const listed = monitored.data?.find(({ id }) => id === patientId);
  const single = useQuery({
    ...patientQuery(patientId),
    select: ({ data }) => toPatientLabel(data),
    staleTime: NAMES_STALE_MS,
    enabled: !monitored.isPending && !listed,
  });
  return listed ?? single.data;
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
  const getColleagueName = useColleagueName(me.hospital?.id);
  const user = useQuery({
    ...userQuery(userId ?? ""),
    staleTime: NAMES_STALE_MS,
    enabled: userId !== null && !isOwn && me.role === "admin",
  });
  if (userId === null) return t("alarms.system");
  if (isOwn) return t("alarms.you");
  return getColleagueName(userId) ?? user.data?.data.full_name ?? t("alarms.colleague");
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
  const colleagues = useColleagues(me.hospital?.id).data ?? [];
  const others = colleagues.filter(({ is_active, role }) => is_active && role !== "hospital_admin");
  const byId = new Map([...(team.data ?? []), ...others].map(({ user_id, full_name }) => [user_id, full_name]));
  byId.delete(me.user_id);
  return [...byId].map(([id, name]) => ({ id, name }));
}
