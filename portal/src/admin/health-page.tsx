// Whether EdgeCare lives and can work: its parts, how long each takes, and the version.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Table } from "../design/data-table.tsx";
import { Card, Facts, Page } from "../design/page.tsx";
import { NotDone, Query } from "../design/states.tsx";
import { clock, number } from "../design/time.ts";
import { useZone } from "../hospitals/use-hospitals.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { readHealth, readVersion } from "./api.ts";
import classes from "./overview.module.css";

const EVERY_MS = 15_000;

export function HealthPage() {
  const say = useSay();
  const zone = useZone();
  const query = useQuery({
    queryKey: ["admin", "health"],
    queryFn: readHealth,
    refetchInterval: EVERY_MS,
    staleTime: 0,
    retry: false,
  });
  const version = useQuery({
    queryKey: ["admin", "version"],
    queryFn: readVersion,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const again = (
    <Button variant="default" onClick={() => void query.refetch()} loading={query.isFetching}>
      {say("admin.check_now")}
    </Button>
  );
  return (
    <Page title={say("nav.health")} actions={again}>
      <Query query={query}>
        {({ alive, ready, parts, waited_ms, at }) => (
          <>
            <Card title={say("admin.service")}>
              <p className={classes.status} role="status">
                {query.error
                  ? say("shell.unreachable")
                  : say(ready ? (alive ? "admin.all_well" : "admin.degraded") : "admin.not_ready")}
              </p>
              <NotDone error={query.error} />
              <Facts
                items={[
                  [say("admin.version"), version.data ?? say("common.unknown")],
                  [say("admin.waited"), say("admin.ms", { n: number(waited_ms) })],
                ]}
              />
              <p className={classes.checked}>{say("admin.checked", { time: clock(at, zone) })}</p>
            </Card>
            <Card title={say("admin.parts")}>
              <Table
                label={say("admin.parts")}
                columns={[
                  { label: say("admin.part"), cell: ({ name }) => sayOf("admin.part", name) },
                  {
                    label: say("admin.state"),
                    cell: ({ status }) => <strong>{say(status === "ok" ? "admin.ok" : "admin.error")}</strong>,
                  },
                  {
                    label: say("admin.latency"),
                    cell: ({ latency_ms }) => say("admin.ms", { n: number(latency_ms) }),
                    align: "end",
                  },
                ]}
                items={parts}
                keyOf={({ name }) => name}
              />
            </Card>
          </>
        )}
      </Query>
    </Page>
  );
}
