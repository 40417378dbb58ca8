// The legal hold of one patient: set with a reason, released with a reason.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { DescriptionList } from "../platform/design/page.tsx";
import { QueryBoundary, RefetchError } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { type Hold, newestHoldQuery, releaseHold, setHold } from "./api.ts";
import { ReasonDialog } from "./reason-dialog.tsx";
import { StaffName } from "./staff-name.tsx";

export function PatientHold({ patientId }: { patientId: string }) {
  const query = useQuery(newestHoldQuery(patientId));
  return (
    <QueryBoundary query={query}>
      {(hold) => (
        <>
          <HoldState patientId={patientId} hold={hold?.released_at === null ? hold : null} />
          <RefetchError error={query.error} />
        </>
      )}
    </QueryBoundary>
  );
}

/** @param hold the open one */
function HoldState({ patientId, hold }: { patientId: string; hold: Hold | null }) {
  const t = useTranslation();
  const [isAsking, setIsAsking] = useState(false);
  const close = () => setIsAsking(false);
  return (
    <div className={layout.stack}>
      {hold ? <HoldFacts hold={hold} /> : <p>{t("erasure.not_held")}</p>}
      <div>
        <Button variant="default" onClick={() => setIsAsking(true)}>
          {t(hold ? "erasure.release" : "erasure.hold")}
        </Button>
      </div>
      {isAsking &&
        (hold ? <ReleaseDialog patientId={patientId} onClose={close} /> : <HoldDialog patientId={patientId} onClose={close} />)}
    </div>
  );
}

function HoldFacts({ hold: { hospital_id, reason, set_by, set_at } }: { hold: Hold }) {
  const t = useTranslation();
  return (
    <>
      <p>{t("erasure.held")}</p>
      <DescriptionList
        items={[
          [t("erasure.reason"), reason],
          [t("erasure.set_by"), <StaffName key="by" hospitalId={hospital_id} userId={set_by} />],
          [t("erasure.set_at"), formatDateTime(set_at)],
        ]}
      />
    </>
  );
}

type HoldDialogProps = { patientId: string; onClose: () => void };

function HoldDialog({ patientId, onClose }: HoldDialogProps) {
  const t = useTranslation();
  return (
    <ReasonDialog
      title={t("erasure.hold")}
      submitLabel={t("erasure.hold")}
      conflict={t("erasure.hold_conflict")}
      onSubmit={(reason) => setHold(patientId, reason)}
      onClose={onClose}
    >
      <p>{t("erasure.hold_text")}</p>
    </ReasonDialog>
  );
}

export function ReleaseDialog({ patientId, onClose }: HoldDialogProps) {
  const t = useTranslation();
  return (
    <ReasonDialog
      title={t("erasure.release")}
      submitLabel={t("erasure.release")}
      conflict={t("erasure.release_conflict")}
      onSubmit={(reason) => releaseHold(patientId, reason)}
      onClose={onClose}
    >
      <p>{t("erasure.release_text")}</p>
    </ReasonDialog>
  );
}
