// The way into an emergency access from the page of a patient that is not open to clinical staff.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { hospitalQuery } from "../organization/hospitals/use-hospitals.ts";
import { NAMES_STALE_MS } from "../platform/api/query-client.ts";
import { Card } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { isClinical } from "./clinical.ts";
import { StartDialog } from "./start-dialog.tsx";

/** What the own hospital allows; undefined until it is known, and without a hospital. */
export function useOwnReach() {
  const { hospital } = useMe();
  const { data } = useQuery({ ...hospitalQuery(hospital?.id ?? ""), enabled: hospital !== null, staleTime: NAMES_STALE_MS });
  return data?.data.emergency_reach;
}

export function EmergencyOffer({ patient, onOpened }: { patient: string; onOpened: () => void }) {
  const { role } = useMe();
  return isClinical(role) ? <Offer patient={patient} onOpened={onOpened} /> : null;
}

function Offer({ patient, onOpened }: { patient: string; onOpened: () => void }) {
  const t = useTranslation();
  const [isAsking, setIsAsking] = useState(false);
  if (useOwnReach() === "none") return <p>{t("emergency.reach_is.none")}</p>;
  return (
    <Card title={t("emergency.title")}>
      <p>{t("emergency.offer")}</p>
      <Button variant="outline" color="red" onClick={() => setIsAsking(true)}>
        {t("emergency.begin")}
      </Button>
      {isAsking && <StartDialog patient={patient} onOpened={onOpened} onClose={() => setIsAsking(false)} />}
    </Card>
  );
}
