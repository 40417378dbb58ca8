// Deliveries for administrators: what was sent by which channel, and resend.
import { Button, NativeSelect } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { textOf } from "../../../src/notifications/text.ts";
import { getLanguage } from "../accounts/session/preferences.ts";
import { serverNow } from "../monitoring/live/server-clock.ts";
import { useColleagues } from "../organization/hospitals/use-colleagues.ts";
import { useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { NAMES_STALE_MS, queryClient } from "../platform/api/query-client.ts";
import { ConfirmDialog } from "../platform/design/confirm-dialog.tsx";
import { type Column, CURSOR_PAGINATION, DataTable } from "../platform/design/data-table.tsx";
import { formatDateTime, formatShortTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card, Page } from "../platform/design/page.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { type Delivery, type DeliveryFilters, listDeliveries, resendDelivery } from "./api.ts";
import { translateAnswer } from "./provider-answer.ts";
import { listAllWebhooks } from "./webhooks/api.ts";

const CHANNELS = ["email", "push", "sms", "webhook"] as const;
const STATUSES = ["waiting", "sending", "accepted", "failed", "unknown", "cancelled"] as const;
const KEY = ["admin", "deliveries"];

const describe = ({ channel, kind, priority }: Delivery): string =>
  channel === "webhook" ? translateCode("webhooks.event", kind) : textOf(kind, getLanguage(), priority).title;

export function DeliveriesPage() {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const search = useSearch({ from: "/signed-in/admin/deliveries" });
  const [resending, setResending] = useState<{ delivery: Delivery; key: string } | null>(null);
  const channel = CHANNELS.find((name) => name === search.channel);
  const status = STATUSES.find((name) => name === search.status);
  const filters: DeliveryFilters = { ...(channel && { channel }), ...(status && { status }) };
  const query = useInfiniteQuery({
    queryKey: [...KEY, filters],
    queryFn: ({ pageParam }) => listDeliveries(filters, pageParam),
    ...CURSOR_PAGINATION,
  });
  const columns: Column<Delivery>[] = [
    { label: t("notifications.deliveries.created"), cell: ({ created_at }) => formatDateTime(created_at, zone) },
    { label: t("notifications.deliveries.kind"), cell: describe },
    {
      label: t("notifications.deliveries.recipient"),
      cell: (delivery) => <Recipient delivery={delivery} />,
    },
    { label: t("notifications.deliveries.channel"), cell: (delivery) => t(`notifications.channel.${delivery.channel}`) },
    { label: t("notifications.deliveries.status"), cell: (delivery) => <Status delivery={delivery} zone={zone} /> },
    { label: t("notifications.deliveries.attempts"), cell: ({ attempts }) => attempts },
    {
      label: t("notifications.deliveries.answer"),
      cell: ({ answer_status, answer }) =>
        [answer_status, answer && translateAnswer(answer)].filter((part) => part !== null).join(" ") || t("common.none"),
    },
    {
      label: t("notifications.deliveries.resend"),
      align: "end",
      cell: (delivery) =>
        delivery.can_resend && (
          <Button size="xs" variant="default" onClick={() => setResending({ delivery, key: crypto.randomUUID() })}>
            {t("notifications.deliveries.resend")}
          </Button>
        ),
    },
  ];
  return (
    <Page title={t("nav.deliveries")}>
      <Card>
        <Filters />
        <DataTable
          label={t("nav.deliveries")}
          columns={columns}
          query={query}
          rowKey={({ delivery_id }) => delivery_id}
          isFiltered={Object.keys(filters).length > 0}
          empty={t("notifications.deliveries.none")}
        />
      </Card>
      {resending && (
        <ConfirmDialog
          title={t("notifications.deliveries.resend_title")}
          confirmLabel={t("notifications.deliveries.resend")}
          isDangerous={false}
          onConfirm={() =>
            resendDelivery(resending.delivery.delivery_id, resending.key).finally(() =>
              queryClient.invalidateQueries({ queryKey: KEY }),
            )
          }
          onClose={() => setResending(null)}
        >
          <p>{t("notifications.deliveries.resend_text")}</p>
        </ConfirmDialog>
      )}
    </Page>
  );
}

/** Why it waits is said of quiet hours alone: all else that waits is an attempt that follows. */
function Status({ delivery, zone }: { delivery: Delivery; zone: string | undefined }) {
  const t = useTranslation();
  const { status, next_attempt_at, is_held_by_quiet_hours } = delivery;
  const isLater = status === "waiting" && next_attempt_at !== null && Date.parse(next_attempt_at) > serverNow();
  return (
    <div className={layout.words}>
      {t(`notifications.status.${status}`)}
      {isLater && (
        <div className={layout.note}>
          {is_held_by_quiet_hours
            ? t("notifications.deliveries.held_until", { time: formatShortTime(next_attempt_at, zone) })
            : t("notifications.deliveries.next_attempt", { time: formatDateTime(next_attempt_at, zone) })}
        </div>
      )}
    </div>
  );
}

function Recipient({ delivery: { channel, user_id, user_name, hospital_id, target_id } }: { delivery: Delivery }) {
  const t = useTranslation();
  if (channel === "webhook") return <WebhookName webhookId={target_id} hospitalId={hospital_id} />;
  if (user_id === null) return t("notifications.deliveries.no_account");
  return (
    <Link to="/admin/users/$userId" params={{ userId: user_id }}>
      {hospital_id === null ? (
        (user_name ?? t("notifications.deliveries.account"))
      ) : (
        <MemberName userId={user_id} hospitalId={hospital_id} />
      )}
    </Link>
  );
}

function MemberName({ userId, hospitalId }: { userId: string; hospitalId: string }) {
  const t = useTranslation();
  const { data } = useColleagues(hospitalId);
  if (!data) return t("notifications.deliveries.account");
  return data.find(({ user_id }) => user_id === userId)?.full_name ?? t("notifications.deliveries.not_member");
}

/** The description of the webhook, or the host of its address. */
function WebhookName({ webhookId, hospitalId }: { webhookId: string; hospitalId: string | null }) {
  const t = useTranslation();
  const { data } = useQuery({
    queryKey: ["admin", "webhooks", hospitalId, "all"],
    queryFn: () => listAllWebhooks(hospitalId ?? undefined),
    staleTime: NAMES_STALE_MS,
  });
  if (!data) return t("notifications.channel.webhook");
  const webhook = data.find(({ webhook_id }) => webhook_id === webhookId);
  return webhook ? (webhook.description ?? new URL(webhook.url).host) : t("notifications.deliveries.webhook_gone");
}

function Filters() {
  const t = useTranslation();
  const search = useSearch({ from: "/signed-in/admin/deliveries" });
  const navigate = useNavigate({ from: "/admin/deliveries" });
  const update = (change: typeof search) => void navigate({ search: { ...search, ...change }, replace: true });
  return (
    <form className={layout.filterForm} aria-label={t("common.filters")}>
      <NativeSelect
        label={t("notifications.deliveries.channel")}
        value={search.channel ?? ""}
        onChange={(event) => update({ channel: event.target.value })}
        data={[
          { value: "", label: t("notifications.deliveries.any_channel") },
          ...CHANNELS.map((value) => ({ value, label: t(`notifications.channel.${value}`) })),
        ]}
      />
      <NativeSelect
        label={t("notifications.deliveries.status")}
        value={search.status ?? ""}
        onChange={(event) => update({ status: event.target.value })}
        data={[
          { value: "", label: t("notifications.deliveries.any_status") },
          ...STATUSES.map((value) => ({ value, label: t(`notifications.status.${value}`) })),
        ]}
      />
    </form>
  );
}
