// What belongs to a record is shown until the emergency access that opens it is over.
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { patientQuery } from "../patients/record/use-patient-record.ts";
import { isClinical } from "./clinical.ts";
import { EmergencyBanner } from "./emergency-banner.tsx";
import { EmergencyOver } from "./emergency-over.tsx";

/** @param endedAt null where it is not known */
export type OnOver = (endedAt: string | null) => void;

export function EmergencyGate({ children }: { children: (onOver: OnOver) => ReactNode }) {
  const [over, setOver] = useState<{ endedAt: string | null } | null>(null);
  const [onOver] = useState<OnOver>(() => (endedAt: string | null) => setOver({ endedAt }));
  return over ? <EmergencyOver endedAt={over.endedAt} onRetry={() => setOver(null)} /> : children(onOver);
}

type RecordBannerProps = { patientId: string; hospitalId?: string; onOver: OnOver };

/**
 * The banner on a page outside those of the patient. Nurses need no emergency access to the records of their hospital.
 * @param hospitalId where the page does not know it, nurses see the banner if the page itself has read the record
 */
export function RecordBanner({ patientId, hospitalId, onOver }: RecordBannerProps) {
  const { role, hospital } = useMe();
  const mayBeEmergency = role === "doctor" || (isClinical(role) && hospitalId !== undefined && hospitalId !== hospital?.id);
  const { data, refetch } = useQuery({ ...patientQuery(patientId), enabled: mayBeEmergency });
  const accessId = data?.data.emergency_access_id ?? null;
  return accessId && <EmergencyBanner accessId={accessId} onOver={onOver} onRefused={() => void refetch()} />;
}
