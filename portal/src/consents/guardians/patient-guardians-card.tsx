// Guardians of a patient, for staff: record one with their code, confirm what a colleague recorded, and end one.
import { Button } from "@mantine/core";
import { useState } from "react";
import { useMe } from "../../accounts/session/use-session.ts";
import { ReasonDialog } from "../../erasure/reason-dialog.tsx";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import layout from "../../platform/design/layout.module.css";
import { Card } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { confirmGuardian, endGuardian, type Guardianship, useGuardiansOf } from "./api.ts";
import { GuardianFacts, isOpen, StateBadge } from "./guardian-facts.tsx";
import { GuardianList } from "./guardian-list.tsx";
import { RecordGuardianDialog } from "./record-guardian-dialog.tsx";

type PatientGuardiansProps = { patientId: string; zone: string | undefined };

export function PatientGuardiansCard({ patientId, zone }: PatientGuardiansProps) {
  const t = useTranslation();
  const { role } = useMe();
  const query = useGuardiansOf(patientId);
  const [isRecording, setIsRecording] = useState(false);
  const canManage = role === "nurse" || role === "hospital_admin";
  return (
    <Card
      title={t("guardians.of_patient")}
      actions={
        canManage && (
          <Button variant="default" onClick={() => setIsRecording(true)}>
            {t("guardians.record")}
          </Button>
        )
      }
    >
      <p className={layout.muted}>{t("guardians.of_patient_text")}</p>
      <GuardianList query={query} empty={t("guardians.none")}>
        {(one) => <PatientGuardian guardianship={one} zone={zone} canManage={canManage} />}
      </GuardianList>
      {isRecording && <RecordGuardianDialog patientId={patientId} zone={zone} onClose={() => setIsRecording(false)} />}
    </Card>
  );
}

type PatientGuardianProps = { guardianship: Guardianship; zone: string | undefined; canManage: boolean };

function PatientGuardian({ guardianship: one, zone, canManage }: PatientGuardianProps) {
  const t = useTranslation();
  const { user_id } = useMe();
  const [dialog, setDialog] = useState<"confirm" | "end" | null>(null);
  const close = () => setDialog(null);
  const name = one.guardian_name;
  const isWaiting = one.state === "recorded";
  return (
    <>
      <div className={layout.line}>
        <strong>{name}</strong>
        <StateBadge state={one.state} />
      </div>
      <GuardianFacts guardianship={one} zone={zone} />
      {isWaiting && one.recorded_by === user_id && <p className={layout.note}>{t("guardians.other_confirms")}</p>}
      {canManage && isOpen(one) && (
        <div className={layout.acts}>
          {isWaiting && one.recorded_by !== user_id && one.guardian_id !== user_id && (
            <Button onClick={() => setDialog("confirm")} aria-label={`${t("guardians.confirm")}: ${name}`}>
              {t("guardians.confirm")}…
            </Button>
          )}
          <Button variant="default" color="red" onClick={() => setDialog("end")} aria-label={`${t("guardians.end")}: ${name}`}>
            {t("guardians.end")}…
          </Button>
        </div>
      )}
      {dialog === "confirm" && (
        <ConfirmDialog
          title={t("guardians.confirm_title", { name })}
          confirmLabel={t("guardians.confirm")}
          onConfirm={() => withErrorMessages(confirmGuardian(one.guardianship_id), { conflict: t("guardians.changed") })}
          onClose={close}
        >
          <p>{t("guardians.confirm_text")}</p>
        </ConfirmDialog>
      )}
      {dialog === "end" && (
        <ReasonDialog
          title={t("guardians.end_title", { name })}
          submitLabel={t("guardians.end")}
          conflict={t("guardians.changed")}
          onSubmit={(reason) => endGuardian(one.guardianship_id, reason)}
          onClose={close}
        >
          <p>{t("guardians.end_text")}</p>
        </ReasonDialog>
      )}
    </>
  );
}
