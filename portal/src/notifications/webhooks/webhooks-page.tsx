// All webhooks of a hospital with their events and status.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useMe } from "../../accounts/session/use-session.ts";
import { HospitalSelect } from "../../organization/hospitals/hospital-select.tsx";
import { useHospitalName, useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { type Column, CURSOR_PAGINATION, DataTable } from "../../platform/design/data-table.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card, Page } from "../../platform/design/page.tsx";
import { ActionError } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { deleteWebhook, disableWebhook, enableWebhook, listWebhooks, testWebhook, untilTried, type Webhook } from "./api.ts";
import { DeliveryLogDialog } from "./delivery-log-dialog.tsx";
import { NewWebhookDialog } from "./new-webhook-dialog.tsx";
import { RotateSecretDialog } from "./rotate-secret-dialog.tsx";
import classes from "./webhooks.module.css";

type OpenDialog = { kind: "new" } | { kind: "log" | "rotate" | "delete"; webhook: Webhook };

function useWebhookActions(invalidate: () => Promise<unknown>) {
  const [state, setState] = useState<{ error: unknown; hasSentTest: boolean }>({ error: null, hasSentTest: false });
  const run = (action: () => Promise<unknown>, hasSentTest = false) => {
    setState({ error: null, hasSentTest: false });
    action()
      .then(
        () => setState({ error: null, hasSentTest }),
        (error: unknown) => setState({ error, hasSentTest: false }),
      )
      .finally(() => void invalidate());
  };
  return {
    ...state,
    // The answer may switch the webhook off. A failed read shows nothing: the test was sent.
    test: ({ webhook_id }: Webhook) =>
      run(async () => {
        const delivery = await testWebhook(webhook_id);
        untilTried(delivery).then(invalidate, () => undefined);
      }, true),
    toggle: (webhook: Webhook) => run(() => (webhook.is_active ? disableWebhook(webhook) : enableWebhook(webhook.webhook_id))),
  };
}

export function WebhooksPage() {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const isAdmin = useMe().role === "admin";
  const getHospitalName = useHospitalName();
  const { hospital } = useSearch({ from: "/signed-in/admin/webhooks" });
  const navigate = useNavigate({ from: "/admin/webhooks" });
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const query = useInfiniteQuery({
    queryKey: ["admin", "webhooks", hospital ?? null],
    queryFn: ({ pageParam }) => listWebhooks(hospital, pageParam),
    ...CURSOR_PAGINATION,
  });
  const invalidate = () => queryClient.invalidateQueries({ queryKey: ["admin", "webhooks"] });
  const actions = useWebhookActions(invalidate);
  const closeDialog = () => setDialog(null);
  const describeState = ({ is_active, disabled_reason, failing_since }: Webhook) => {
    if (!is_active) return translateCode("webhooks.state", disabled_reason ?? "person");
    return failing_since ? t("webhooks.state.failing", { time: formatDateTime(failing_since, zone) }) : t("webhooks.state.works");
  };
  const hospitalColumn: Column<Webhook> = {
    label: t("hospitals.hospital"),
    cell: ({ hospital_id }) => getHospitalName(hospital_id),
  };
  const columns: Column<Webhook>[] = [
    {
      label: t("webhooks.url"),
      cell: ({ url, description }) => (
        <div>
          <span className={classes.long}>{url}</span>
          {description && <span className={classes.note}>{description}</span>}
        </div>
      ),
    },
    {
      label: t("webhooks.events"),
      cell: ({ events, include_data }) => (
        <div>
          {events.map((event) => translateCode("webhooks.event", event)).join(", ")}
          {include_data && <span className={classes.note}>{t("webhooks.with_data")}</span>}
        </div>
      ),
    },
    ...(isAdmin ? [hospitalColumn] : []),
    { label: t("webhooks.state"), cell: (webhook) => <span className={layout.words}>{describeState(webhook)}</span> },
    {
      label: t("common.edit"),
      align: "end",
      cell: (webhook) => (
        <div className={layout.endActs}>
          <Button size="xs" variant="default" onClick={() => setDialog({ kind: "log", webhook })}>
            {t("webhooks.log")}
          </Button>
          {webhook.is_active && (
            <Button size="xs" variant="default" onClick={() => actions.test(webhook)}>
              {t("webhooks.test")}
            </Button>
          )}
          <Button size="xs" variant="default" onClick={() => setDialog({ kind: "rotate", webhook })}>
            {t("webhooks.rotate")}
          </Button>
          <Button size="xs" variant="default" onClick={() => actions.toggle(webhook)}>
            {t(webhook.is_active ? "webhooks.disable" : "webhooks.enable")}
          </Button>
          <Button size="xs" variant="outline" color="red" onClick={() => setDialog({ kind: "delete", webhook })}>
            {t("webhooks.delete")}
          </Button>
        </div>
      ),
    },
  ];
  return (
    <Page title={t("nav.webhooks")} actions={<Button onClick={() => setDialog({ kind: "new" })}>{t("webhooks.new")}</Button>}>
      <Card>
        <div className={classes.filters}>
          <HospitalSelect
            value={hospital ?? ""}
            onChange={(id) => void navigate({ search: { hospital: id }, replace: true })}
            emptyLabel={t("webhooks.any_hospital")}
          />
        </div>
        {actions.error !== null && <ActionError error={actions.error} />}
        <p role="status">{actions.hasSentTest && t("webhooks.test_sent")}</p>
        <DataTable
          label={t("nav.webhooks")}
          columns={columns}
          query={query}
          rowKey={({ webhook_id }) => webhook_id}
          isFiltered={Boolean(hospital)}
          empty={t("webhooks.none")}
        />
      </Card>
      {dialog?.kind === "new" && <NewWebhookDialog onChanged={invalidate} onClose={closeDialog} />}
      {dialog?.kind === "log" && <DeliveryLogDialog webhook={dialog.webhook} zone={zone} onClose={closeDialog} />}
      {dialog?.kind === "rotate" && (
        <RotateSecretDialog webhookId={dialog.webhook.webhook_id} onChanged={invalidate} onClose={closeDialog} />
      )}
      {dialog?.kind === "delete" && (
        <ConfirmDialog
          title={t("webhooks.delete_title")}
          confirmLabel={t("webhooks.delete")}
          onConfirm={() => deleteWebhook(dialog.webhook.webhook_id).finally(invalidate)}
          onClose={closeDialog}
        >
          <p>{t("webhooks.delete_text")}</p>
        </ConfirmDialog>
      )}
    </Page>
  );
}
