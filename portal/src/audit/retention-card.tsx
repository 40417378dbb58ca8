// How long a log's events are kept, and its legal hold, which platform administrators set and end.
import { Button, Textarea } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ConfirmDialog } from "../platform/design/confirm-dialog.tsx";
import { Dialog } from "../platform/design/dialog.tsx";
import { Form, validateRequired } from "../platform/design/form.tsx";
import { formatDateTime, formatNumber } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card, DescriptionList } from "../platform/design/page.tsx";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { endLegalHold, type LogChoice, type Retention, readRetention, setLegalHold } from "./api.ts";

const retentionKey = (hospitalId: LogChoice) => ["admin", "audit-retention", hospitalId];

type RetentionCardProps = { hospitalId: LogChoice; isPlatformAdmin: boolean };

export function RetentionCard({ hospitalId, isPlatformAdmin }: RetentionCardProps) {
  const t = useTranslation();
  const query = useQuery({
    queryKey: retentionKey(hospitalId),
    queryFn: () => readRetention(hospitalId),
    refetchOnWindowFocus: false,
  });
  return (
    <Card title={t("audit.retention_title")}>
      <QueryBoundary query={query}>
        {(retention) => (
          <>
            <RetentionFacts retention={retention} />
            {isPlatformAdmin && hospitalId !== null && (
              <HoldActions hospitalId={hospitalId} isHeld={retention.legal_hold !== null} />
            )}
          </>
        )}
      </QueryBoundary>
    </Card>
  );
}

function RetentionFacts({ retention: { retention_years, size, pruned_up_to, legal_hold } }: { retention: Retention }) {
  const t = useTranslation();
  const held = legal_hold && [
    [t("audit.hold_since"), formatDateTime(legal_hold.set_at)] as const,
    [t("audit.hold_reason"), legal_hold.reason] as const,
    [
      t("audit.hold_from"),
      legal_hold.recorded_from === null ? t("audit.hold_from_all") : formatDateTime(legal_hold.recorded_from),
    ] as const,
  ];
  return (
    <DescriptionList
      items={[
        [t("audit.retention"), t("audit.years", { n: retention_years })],
        [t("audit.log_size"), formatNumber(size)],
        [
          t("audit.pruned"),
          pruned_up_to === null ? t("audit.pruned_nothing") : t("audit.pruned_up_to", { n: formatNumber(pruned_up_to) }),
        ],
        [t("audit.hold"), t(held ? "audit.hold_on" : "audit.hold_off")],
        ...(held ?? []),
      ]}
    />
  );
}

function HoldActions({ hospitalId, isHeld }: { hospitalId: string; isHeld: boolean }) {
  const t = useTranslation();
  const client = useQueryClient();
  const [dialog, setDialog] = useState<"set" | "end" | null>(null);
  const close = () => setDialog(null);
  const reload = () => client.invalidateQueries({ queryKey: retentionKey(hospitalId) });
  return (
    <div className={layout.acts}>
      <Button variant="default" onClick={() => setDialog(isHeld ? "end" : "set")}>
        {t(isHeld ? "audit.hold_end" : "audit.hold_set")}
      </Button>
      {dialog === "set" && <SetHoldDialog hospitalId={hospitalId} onDone={reload} onClose={close} />}
      {dialog === "end" && (
        <ConfirmDialog
          title={t("audit.hold_end_question")}
          confirmLabel={t("audit.hold_end")}
          onConfirm={() => endLegalHold(hospitalId).then(reload)}
          onClose={close}
        >
          <p>{t("audit.hold_end_text")}</p>
        </ConfirmDialog>
      )}
    </div>
  );
}

type SetHoldProps = { hospitalId: string; onDone: () => Promise<void>; onClose: () => void };

function SetHoldDialog({ hospitalId, onDone, onClose }: SetHoldProps) {
  const t = useTranslation();
  const [reason, setReason] = useState("");
  const save = async () => {
    await setLegalHold(hospitalId, reason.trim());
    await onDone();
    onClose();
  };
  return (
    <Dialog title={t("audit.hold_set")} onClose={onClose}>
      <p>{t("audit.hold_text")}</p>
      <Form
        submitLabel={t("audit.hold_set")}
        validate={() => validateRequired({ reason })}
        onSubmit={save}
        onCancel={onClose}
        labels={{ reason: t("audit.hold_reason") }}
      >
        {(field) => (
          <Textarea
            {...field("reason")}
            label={t("audit.hold_reason")}
            withAsterisk
            maxLength={500}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        )}
      </Form>
    </Dialog>
  );
}
