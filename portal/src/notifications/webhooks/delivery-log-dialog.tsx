// The delivery log of a webhook: status, attempts and answer of each delivery, and sending one again.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { queryClient } from "../../platform/api/query-client.ts";
import { type Column, CURSOR_PAGINATION, DataTable } from "../../platform/design/data-table.tsx";
import { Dialog } from "../../platform/design/dialog.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import { ActionError } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { translateAnswer } from "../provider-answer.ts";
import { isResendable, listDeliveries, resendDelivery, type Webhook, type WebhookDelivery } from "./api.ts";
import classes from "./webhooks.module.css";

const REFETCH_MS = 5_000;

type DeliveryLogDialogProps = { webhook: Webhook; zone: string | undefined; onClose: () => void };

export function DeliveryLogDialog({ webhook, zone, onClose }: DeliveryLogDialogProps) {
  const t = useTranslation();
  const queryKey = ["admin", "webhooks", webhook.webhook_id, "deliveries"];
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => listDeliveries(webhook.webhook_id, pageParam),
    refetchInterval: REFETCH_MS,
    ...CURSOR_PAGINATION,
  });
  const [error, setError] = useState<unknown>(null);
  const resend = (delivery: WebhookDelivery) => {
    setError(null);
    resendDelivery(delivery)
      .catch(setError)
      .finally(() => void queryClient.invalidateQueries({ queryKey }));
  };
  const columns: Column<WebhookDelivery>[] = [
    { label: t("webhooks.time"), cell: ({ created_at }) => formatDateTime(created_at, zone) },
    { label: t("webhooks.event"), cell: ({ type }) => translateCode("webhooks.event", type) },
    {
      label: t("webhooks.state"),
      cell: ({ status, attempts, next_attempt_at }) => (
        <div>
          {translateCode("webhooks.delivery", status)}
          <span className={classes.note}>
            {t("webhooks.attempts", { n: attempts })}
            {next_attempt_at && `, ${t("webhooks.next_attempt", { time: formatDateTime(next_attempt_at, zone) })}`}
          </span>
        </div>
      ),
    },
    {
      label: t("webhooks.answer"),
      cell: ({ answer_status, answer_text }) => (
        <div>
          {answer_status ?? ""}
          {answer_text && <span className={classes.note}>{translateAnswer(answer_text)}</span>}
        </div>
      ),
    },
    {
      label: t("common.edit"),
      align: "end",
      cell: (delivery) =>
        webhook.is_active &&
        isResendable(delivery) && (
          <Button size="xs" variant="default" onClick={() => resend(delivery)}>
            {t("webhooks.resend")}
          </Button>
        ),
    },
  ];
  return (
    <Dialog title={t("webhooks.log")} onClose={onClose} wide>
      <p className={classes.long}>{webhook.url}</p>
      {error !== null && <ActionError error={error} />}
      <DataTable
        label={t("webhooks.log")}
        columns={columns}
        query={query}
        rowKey={({ message_id }) => message_id}
        empty={t("webhooks.log_none")}
      />
    </Dialog>
  );
}
