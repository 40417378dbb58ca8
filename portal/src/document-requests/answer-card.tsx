// The asked hospital approves a request that the person has consented to, or rejects it with a reason.
import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { ConfirmDialog } from "../platform/design/confirm-dialog.tsx";
import layout from "../platform/design/layout.module.css";
import { useOfflineGuard } from "../platform/design/offline-guard.tsx";
import { Card } from "../platform/design/page.tsx";
import { ActionError } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import type { Step } from "./api.ts";

const MIN_REASON_LENGTH = 3;
const MAX_REASON_LENGTH = 500;
export type TakeStep = (step: Step) => Promise<void>;

export function AnswerCard({ take }: { take: TakeStep }) {
  const t = useTranslation();
  const [isRejecting, setIsRejecting] = useState(false);
  const [state, setState] = useState<{ isBusy: boolean; error: unknown }>({ isBusy: false, error: null });
  const { offlineProps, offlineNotice } = useOfflineGuard(true);
  function approve(): void {
    setState({ isBusy: true, error: null });
    take({ name: "approve" }).then(
      () => setState({ isBusy: false, error: null }),
      (error: unknown) => setState({ isBusy: false, error }),
    );
  }
  return (
    <Card title={t("requests.answer")}>
      <p>{t("requests.answer_text")}</p>
      <ActionError error={state.error} />
      {offlineNotice}
      <div className={layout.acts}>
        <Button loading={state.isBusy} onClick={approve} {...offlineProps}>
          {t("requests.approve")}
        </Button>
        <Button variant="default" color="red" onClick={() => setIsRejecting(true)}>
          {t("requests.reject")}…
        </Button>
      </div>
      {isRejecting && <RejectDialog take={take} onClose={() => setIsRejecting(false)} />}
    </Card>
  );
}

function RejectDialog({ take, onClose }: { take: TakeStep; onClose: () => void }) {
  const t = useTranslation();
  const [reason, setReason] = useState("");
  return (
    <ConfirmDialog
      title={t("requests.reject_title")}
      confirmLabel={t("requests.reject")}
      disabled={reason.trim().length < MIN_REASON_LENGTH}
      onConfirm={() => take({ name: "reject", reason: reason.trim() })}
      onClose={onClose}
    >
      <p>{t("requests.reject_text")}</p>
      <Textarea
        label={t("requests.reason")}
        description={t("requests.reason_hint")}
        required
        maxLength={MAX_REASON_LENGTH}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </ConfirmDialog>
  );
}

/** By the hospital that asks, until documents are shared. */
export function CancelAction({ take }: { take: TakeStep }) {
  const t = useTranslation();
  const [isCancelling, setIsCancelling] = useState(false);
  return (
    <div className={layout.acts}>
      <Button variant="default" color="red" onClick={() => setIsCancelling(true)}>
        {t("requests.cancel")}…
      </Button>
      {isCancelling && (
        <ConfirmDialog
          title={t("requests.cancel_title")}
          confirmLabel={t("requests.cancel")}
          onConfirm={() => take({ name: "cancel" })}
          onClose={() => setIsCancelling(false)}
        >
          <p>{t("requests.cancel_text")}</p>
        </ConfirmDialog>
      )}
    </div>
  );
}
