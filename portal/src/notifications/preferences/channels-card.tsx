// Table of the channels per kind of message, with a switch for each that the person may choose.
import { Switch } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { textOf } from "../../../../src/notifications/text.ts";
import { getLanguage } from "../../accounts/session/preferences.ts";
import { type Column, Table } from "../../platform/design/data-table.tsx";
import layout from "../../platform/design/layout.module.css";
import { useOfflineGuard } from "../../platform/design/offline-guard.tsx";
import { Card } from "../../platform/design/page.tsx";
import { ActionError, QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { type Channel, type Choices, type MessagePreferences, replacePreferences } from "./api.ts";
import classes from "./preferences.module.css";
import { preferencesQuery } from "./queries.ts";

type Kind = MessagePreferences["kinds"][number];
type State = Kind["channels"][number];

/** All that differ from the default, with one changed: what is not named has its default again. */
function toChoices(kinds: readonly Kind[], changed: { kind: string; channel: Channel }): Choices {
  return kinds.flatMap(({ kind, channels }) =>
    channels.flatMap(({ channel, is_on, is_default, rule }) => {
      const isChanged = kind === changed.kind && channel === changed.channel;
      if (rule !== null || (is_default && !isChanged)) return [];
      return [{ kind, channel, is_on: isChanged ? !is_on : is_on }];
    }),
  );
}

export function ChannelsCard() {
  const t = useTranslation();
  const query = useQuery(preferencesQuery);
  return (
    <Card title={t("notify.kinds")}>
      <p className={layout.note}>{t("notify.kinds_text")}</p>
      <QueryBoundary query={query}>{({ kinds, channels }) => <Channels kinds={kinds} channels={channels} />}</QueryBoundary>
    </Card>
  );
}

function Channels({ kinds, channels }: Pick<MessagePreferences, "kinds" | "channels">) {
  const t = useTranslation();
  const client = useQueryClient();
  const { offline, offlineNotice } = useOfflineGuard();
  const change = useMutation({
    mutationFn: (changed: { kind: string; channel: Channel }) => replacePreferences(toChoices(kinds, changed)),
    onSuccess: (data) => client.setQueryData(preferencesQuery.queryKey, data),
    onError: () => client.invalidateQueries({ queryKey: preferencesQuery.queryKey }),
    networkMode: "always",
  });
  const titleOf = ({ kind }: Kind) => textOf(kind, getLanguage()).title;
  const reachable = new Set(channels.filter(({ is_reachable }) => is_reachable).map(({ channel }) => channel));
  const unreachedKinds = kinds.filter(
    (kind) => kind.priority === "alarm" && !kind.channels.some(({ channel, is_on }) => is_on && reachable.has(channel)),
  );
  const columns: Column<Kind>[] = [
    { label: t("notify.kind"), cell: titleOf },
    ...(kinds[0]?.channels ?? []).map(({ channel }) => ({
      label: t(`notify.channel.${channel}`),
      cell: (row: Kind) => {
        const state = row.channels.find((one) => one.channel === channel);
        return (
          state && (
            <ChannelSwitch
              title={titleOf(row)}
              state={state}
              isBusy={change.isPending || offline}
              onChange={() => change.mutate({ kind: row.kind, channel })}
            />
          )
        );
      },
    })),
  ];
  return (
    <>
      <Table label={t("notify.kinds")} columns={columns} items={kinds} rowKey={({ kind }) => kind} />
      {unreachedKinds.length > 0 && (
        <p className={layout.alert} role="status">
          {t("notify.no_channel", { kinds: unreachedKinds.map(titleOf).join(", ") })}
        </p>
      )}
      <p className={layout.note}>{t("notify.rules_text")}</p>
      {offlineNotice}
      <ActionError error={change.error} />
    </>
  );
}

type ChannelSwitchProps = { title: string; state: State; isBusy: boolean; onChange: () => void };

/** Not disabled while busy, which would lose the focus. */
function ChannelSwitch({ title, state: { channel, is_on, rule }, isBusy, onChange }: ChannelSwitchProps) {
  const t = useTranslation();
  return (
    <span className={classes.switch}>
      <Switch
        aria-label={t("notify.switch", { kind: title, channel: t(`notify.channel.${channel}`) })}
        checked={is_on}
        disabled={rule !== null}
        onChange={() => !isBusy && onChange()}
      />
      {rule !== null && <span className={classes.rule}>{t(`notify.rule.${rule}`)}</span>}
    </span>
  );
}
