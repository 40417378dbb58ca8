// System status page: components, their response times and the API version.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { Table } from "../platform/design/data-table.tsx";
import { formatNumber, formatTime } from "../platform/design/format.ts";
import { Card, DescriptionList, Page } from "../platform/design/page.tsx";
import { QueryBoundary, RefetchError } from "../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { readHealth, readVersion } from "./api.ts";
import classes from "./overview.module.css";

const REFRESH_MS = 15_000;

export function HealthPage() {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const query = useQuery({
    queryKey: ["admin", "health"],
    queryFn: readHealth,
    refetchInterval: REFRESH_MS,
    staleTime: 0,
    retry: false,
  });
  const version = useQuery({
    queryKey: ["admin", "version"],
    queryFn: readVersion,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const checkNow = (
    <Button variant="default" onClick={() => void query.refetch()} loading={query.isFetching}>
      {t("admin.check_now")}
    </Button>
  );
  return (
    <Page title={t("nav.health")} actions={checkNow}>
      <QueryBoundary query={query}>
        {({ alive, ready, parts, waited_ms, at }) => (
          <>
            <Card title={t("admin.service")}>
              <p className={classes.status} role="status">
                {query.error
                  ? t("shell.unreachable")
                  : t(ready ? (alive ? "admin.all_well" : "admin.degraded") : "admin.not_ready")}
              </p>
              <RefetchError error={query.error} />
              <DescriptionList
                items={[
                  [t("admin.version"), version.data ?? t("common.unknown")],
                  [t("admin.waited"), t("admin.ms", { n: formatNumber(waited_ms) })],
                ]}
              />
              <p className={classes.checked}>{t("admin.checked", { time: formatTime(at, zone) })}</p>
            </Card>
            <Card title={t("admin.parts")}>
              <Table
                label={t("admin.parts")}
                columns={[
                  { label: t("admin.part"), cell: ({ name }) => translateCode("admin.part", name) },
                  {
                    label: t("admin.state"),
                    cell: ({ status }) => <strong>{t(status === "ok" ? "admin.ok" : "admin.error")}</strong>,
                  },
                  {
                    label: t("admin.latency"),
                    cell: ({ latency_ms }) => t("admin.ms", { n: formatNumber(latency_ms) }),
                    align: "end",
                  },
                ]}
                items={parts}
                rowKey={({ name }) => name}
              />
            </Card>
          </>
        )}
      </QueryBoundary>
    </Page>
  );
}
