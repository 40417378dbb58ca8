// What concerns a whole log: verification, the newest checkpoint, retention and legal hold.
import { useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { HospitalSelect } from "../organization/hospitals/hospital-select.tsx";
import { Card } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import type { LogChoice } from "./api.ts";
import classes from "./audit.module.css";
import { CheckpointCard } from "./checkpoint-card.tsx";
import { RetentionCard } from "./retention-card.tsx";
import { VerificationCard } from "./verification-card.tsx";

/** @param hospitalId that of the filters, which platform administrators may change here */
export function LogCards({ hospitalId }: { hospitalId: LogChoice }) {
  const [chosen, setChosen] = useState<LogChoice>(hospitalId);
  const isPlatformAdmin = useMe().role === "admin";
  return (
    <>
      {isPlatformAdmin && <LogSelect value={chosen} onChange={setChosen} />}
      <VerificationCard key={`verify ${chosen}`} hospitalId={chosen} />
      <CheckpointCard key={`checkpoint ${chosen}`} hospitalId={chosen} />
      <RetentionCard key={`retention ${chosen}`} hospitalId={chosen} isPlatformAdmin={isPlatformAdmin} />
    </>
  );
}

function LogSelect({ value, onChange }: { value: LogChoice; onChange: (value: LogChoice) => void }) {
  const t = useTranslation();
  return (
    <Card>
      <HospitalSelect
        className={classes.log ?? ""}
        label={t("audit.which_log")}
        value={value ?? ""}
        emptyLabel={t("audit.no_hospital_log")}
        onChange={(hospitalId) => onChange(hospitalId || null)}
      />
    </Card>
  );
}
