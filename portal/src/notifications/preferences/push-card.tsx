// Web Push in this browser, and the person's browsers that have it.
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMe } from "../../accounts/session/use-session.ts";
import { type Column, Table } from "../../platform/design/data-table.tsx";
import { formatDate } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { useOfflineGuard } from "../../platform/design/offline-guard.tsx";
import { Card } from "../../platform/design/page.tsx";
import { ActionError, QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { type PushBrowser, removePushSubscription } from "./api.ts";
import { type PushState, switchPushOff, switchPushOn } from "./push.ts";
import { browsersQuery, pushStateQuery } from "./queries.ts";

/** All of the message settings: push changes what reaches the person. */
function useRefresh() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ["notify"] });
}

export function PushCard() {
  const t = useTranslation();
  const state = useQuery(pushStateQuery);
  const browsers = useQuery(browsersQuery);
  return (
    <Card title={t("notify.push")}>
      <p>{t("notify.push_text")}</p>
      <QueryBoundary query={state}>{(current) => <PushSwitch state={current} />}</QueryBoundary>
      <QueryBoundary query={browsers}>{(items) => (items.length > 0 ? <Browsers items={items} /> : null)}</QueryBoundary>
    </Card>
  );
}

function PushSwitch({ state }: { state: PushState }) {
  const t = useTranslation();
  const { user_id } = useMe();
  const refresh = useRefresh();
  const { offlineProps, offlineNotice } = useOfflineGuard();
  const change = useMutation({
    mutationFn: async () => (state === "on" ? switchPushOff().then(() => "off" as const) : switchPushOn(user_id)),
    onSettled: refresh,
    networkMode: "always",
  });
  const refusal = change.data === "off_here" || (change.data === "refused" && state === "off") ? change.data : null;
  const shown = refusal ?? state;
  return (
    <div className={layout.stack}>
      <p role="status">{t(`notify.push_${shown}`)}</p>
      {(state === "on" || state === "off") && shown !== "off_here" && (
        <div>
          <Button
            variant={state === "on" ? "default" : "filled"}
            loading={change.isPending}
            onClick={() => change.mutate()}
            {...offlineProps}
          >
            {t(state === "on" ? "notify.push_switch_off" : "notify.push_switch_on")}
          </Button>
        </div>
      )}
      {offlineNotice}
      <ActionError error={change.error} />
    </div>
  );
}

function Browsers({ items }: { items: readonly PushBrowser[] }) {
  const t = useTranslation();
  const refresh = useRefresh();
  const remove = useMutation({ mutationFn: removePushSubscription, onSettled: refresh, networkMode: "always" });
  const nameOf = ({ browser, service }: PushBrowser) => browser ?? service;
  const columns: Column<PushBrowser>[] = [
    { label: t("notify.browser"), cell: nameOf },
    { label: t("notify.since"), cell: ({ renewed_at }) => formatDate(renewed_at) },
    {
      label: t("notify.remove"),
      cell: (item) => (
        <Button
          variant="default"
          size="compact-md"
          loading={remove.isPending && remove.variables === item.subscription_id}
          onClick={() => remove.mutate(item.subscription_id)}
          aria-label={t("notify.remove_browser", { browser: nameOf(item) })}
        >
          {t("notify.remove")}
        </Button>
      ),
    },
  ];
  return (
    <>
      <Table label={t("notify.browsers")} columns={columns} items={items} rowKey={({ subscription_id }) => subscription_id} />
      <ActionError error={remove.error} />
    </>
  );
}
