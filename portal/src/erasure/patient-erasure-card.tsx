// Legal hold and erasure on a patient's page, for administrators.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import layout from "../platform/design/layout.module.css";
import { FoldedCard } from "../platform/design/page.tsx";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { type Erasure, newestErasureQuery, requestErasure } from "./api.ts";
import { ErasureStateText } from "./erasure-state.tsx";
import { PatientHold } from "./hold-card.tsx";
import { ReasonDialog } from "./reason-dialog.tsx";

type PatientErasureProps = { patientId: string; zone: string | undefined };

/** Folded: each read of its content is an audit event of the patient. */
export function PatientErasureCard(props: PatientErasureProps) {
  const t = useTranslation();
  return (
    <FoldedCard title={t("erasure.card")}>
      <div className={layout.stack}>
        <h3>{t("erasure.hold_title")}</h3>
        <PatientHold patientId={props.patientId} />
        <h3>{t("erasure.erasure")}</h3>
        <PatientErasure {...props} />
      </div>
    </FoldedCard>
  );
}

function PatientErasure({ patientId, zone }: PatientErasureProps) {
  const t = useTranslation();
  const query = useQuery(newestErasureQuery(patientId));
  const [isAsking, setIsAsking] = useState(false);
  return (
    <QueryBoundary query={query}>
      {(erasure) => (
        <div className={layout.stack}>
          {erasure ? <NewestErasure erasure={erasure} zone={zone} /> : <p>{t("erasure.not_requested")}</p>}
          {(erasure === null || erasure.state === "rejected") && (
            <div>
              <Button variant="outline" color="red" onClick={() => setIsAsking(true)}>
                {t("erasure.request")}
              </Button>
            </div>
          )}
          {isAsking && (
            <ReasonDialog
              title={t("erasure.request")}
              submitLabel={t("erasure.request")}
              conflict={t("erasure.request_conflict")}
              onSubmit={(reason) => requestErasure(patientId, reason)}
              onClose={() => setIsAsking(false)}
            >
              <p>{t("erasure.request_text")}</p>
            </ReasonDialog>
          )}
        </div>
      )}
    </QueryBoundary>
  );
}

function NewestErasure({ erasure, zone }: { erasure: Erasure; zone: string | undefined }) {
  const t = useTranslation();
  return (
    <>
      <p>
        <ErasureStateText erasure={erasure} zone={zone} />
      </p>
      <p>
        <Link to="/admin/erasures/$erasureId" params={{ erasureId: erasure.erasure_id }}>
          {t("erasure.open")}
        </Link>
      </p>
    </>
  );
}
