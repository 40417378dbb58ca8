// A test message per channel, and why a channel does not reach the person yet.
import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import layout from "../../platform/design/layout.module.css";
import { useOfflineGuard } from "../../platform/design/offline-guard.tsx";
import { Card } from "../../platform/design/page.tsx";
import { ActionError, QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { sendTest } from "./api.ts";
import { preferencesQuery } from "./queries.ts";

export function ChannelTests() {
  const t = useTranslation();
  const query = useQuery(preferencesQuery);
  const { offlineProps, offlineNotice } = useOfflineGuard();
  const test = useMutation({ mutationFn: sendTest, networkMode: "always" });
  return (
    <Card title={t("notify.try")}>
      <QueryBoundary query={query}>
        {({ channels }) => (
          <ul className={layout.list}>
            {channels.map(({ channel, is_reachable }) => (
              <li key={channel} className={layout.line}>
                <span>
                  <strong>{t(`notify.channel.${channel}`)}</strong>:{" "}
                  {t(is_reachable ? "notify.reachable" : `notify.unreachable.${channel}`)}
                </span>
                {is_reachable && (
                  <Button
                    variant="default"
                    loading={test.isPending && test.variables === channel}
                    onClick={() => test.mutate(channel)}
                    aria-label={t("notify.send_test_by", { channel: t(`notify.channel.${channel}`) })}
                    {...offlineProps}
                  >
                    {t("notify.send_test")}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </QueryBoundary>
      {offlineNotice}
      <p role="status">{test.data && t("notify.test_sent", { channel: t(`notify.channel.${test.data.channel}`) })}</p>
      <ActionError error={test.error} />
    </Card>
  );
}
