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

type RecordBannerProps = { patientId: string; onOver: OnOver };

/** The banner on a page outside those of the patient. Nurses need emergency access to restricted records of their hospital too. */
export function RecordBanner({ patientId, onOver }: RecordBannerProps) {
  const { role } = useMe();
  const { data, refetch } = useQuery({ ...patientQuery(patientId), enabled: isClinical(role) });
  const accessId = data?.data.emergency_access_id ?? null;
  return accessId && <EmergencyBanner accessId={accessId} onOver={onOver} onRefused={() => void refetch()} />;
}
