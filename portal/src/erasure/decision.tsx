// Approves or rejects a request for erasure. Who requested it does not approve it.
import { Button } from "@mantine/core";
import { useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { withErrorMessages } from "../platform/api/problem.ts";
import { ConfirmDialog } from "../platform/design/confirm-dialog.tsx";
import layout from "../platform/design/layout.module.css";
import { useTranslation } from "../platform/messages/translate.ts";
import { approveErasure, type Erasure, rejectErasure } from "./api.ts";
import { ReasonDialog } from "./reason-dialog.tsx";

export function Decision({ erasure }: { erasure: Erasure }) {
  const t = useTranslation();
  const { user_id } = useMe();
  const [dialog, setDialog] = useState<"approve" | "reject" | null>(null);
  const close = () => setDialog(null);
  const isUndecided = erasure.state === "requested";
  const isOwnRequest = erasure.requested_by === user_id;
  return (
    <>
      {isUndecided && isOwnRequest && <p>{t("erasure.own_request")}</p>}
      <div className={layout.acts}>
        {isUndecided && !isOwnRequest && (
          <Button color="red" onClick={() => setDialog("approve")}>
            {t("erasure.approve")}
          </Button>
        )}
        <Button variant="default" onClick={() => setDialog("reject")}>
          {t(isUndecided ? "erasure.reject" : "erasure.end_restriction")}
        </Button>
      </div>
      {dialog === "approve" && <ApproveDialog erasureId={erasure.erasure_id} onClose={close} />}
      {dialog === "reject" && <RejectDialog erasure={erasure} onClose={close} />}
    </>
  );
}

function ApproveDialog({ erasureId, onClose }: { erasureId: string; onClose: () => void }) {
  const t = useTranslation();
  return (
    <ConfirmDialog
      title={t("erasure.approve_title")}
      confirmLabel={t("erasure.approve")}
      onConfirm={() => withErrorMessages(approveErasure(erasureId), { conflict: t("erasure.approve_conflict") })}
      onClose={onClose}
    >
      <p>{t("erasure.approve_text")}</p>
    </ConfirmDialog>
  );
}

function RejectDialog({ erasure: { erasure_id, state }, onClose }: { erasure: Erasure; onClose: () => void }) {
  const t = useTranslation();
  const label = t(state === "requested" ? "erasure.reject" : "erasure.end_restriction");
  return (
    <ReasonDialog
      title={label}
      submitLabel={label}
      conflict={t("erasure.reject_conflict")}
      onSubmit={(reason) => rejectErasure(erasure_id, reason)}
      onClose={onClose}
    >
      <p>{t(state === "requested" ? "erasure.reject_text" : "erasure.end_restriction_text")}</p>
    </ReasonDialog>
  );
}
