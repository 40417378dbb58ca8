// Alarms of all of one's patients: the new ones first, who has seen the others, and those that are over.
import { Button } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { AlertView } from "../../../src/monitoring/patient-object/contract.ts";
import layout from "../design/layout.module.css";
import { Page } from "../design/page.tsx";
import { Empty, Failed, Loading, NotDone } from "../design/states.tsx";
import { clock } from "../design/time.ts";
import { sortedByUrgency } from "../live/known.ts";
import { useSay } from "../messages/index.ts";
import { AlarmCard } from "./alarm-card.tsx";
import classes from "./alarms-page.module.css";
import { type OpenAlarms, useHistory, useOpenAlarms } from "./use-alarms.ts";
import { useZone } from "./zone.ts";

const TABS = ["new", "acknowledged", "recovered", "history"] as const;
type Tab = (typeof TABS)[number];
const STATES: Readonly<Record<Exclude<Tab, "history">, AlertView["state"]>> = {
  new: "active",
  acknowledged: "acknowledged",
  recovered: "recovered",
};
const PRIORITIES = ["high", "medium", "low"] as const;

export function AlarmsPage() {
  const say = useSay();
  const navigate = useNavigate();
  const search = useSearch({ from: "/house/alarms" });
  const tab = TABS.find((one) => one === search.state) ?? "new";
  const priority = PRIORITIES.find((one) => one === search.priority);
  const open = useOpenAlarms();
  const filtered = open.alerts.filter((alert) => !priority || alert.priority === priority);
  const of = (one: Exclude<Tab, "history">) => filtered.filter(({ state }) => state === STATES[one]);
  const go = (to: { state?: Tab; priority?: string | undefined }) =>
    void navigate({ to: "/alarms", search: (before) => ({ ...before, ...to }), replace: true });
  return (
    <Page title={say("alarms.title")}>
      <nav className={classes.tabs} aria-label={say("alarms.tabs")}>
        {TABS.map((one) => (
          <button key={one} type="button" aria-current={tab === one ? "page" : undefined} onClick={() => go({ state: one })}>
            {say(`alarms.tab.${one}`)}
            {one !== "history" && <span className={classes.n}>{of(one).length}</span>}
          </button>
        ))}
      </nav>
      <fieldset className={classes.filters}>
        <legend className="visually-hidden">{say("alarms.priority")}</legend>
        {[undefined, ...PRIORITIES].map((one) => (
          <button key={one ?? "all"} type="button" aria-pressed={priority === one} onClick={() => go({ priority: one })}>
            {one === undefined ? say("common.all") : say(`alarms.priority.${one}`)}
          </button>
        ))}
      </fieldset>
      {tab === "history" ? <Past priority={priority} /> : <Open open={open} shown={of(tab)} filtered={priority !== undefined} />}
    </Page>
  );
}

function Open({ open, shown, filtered }: { open: OpenAlarms; shown: readonly AlertView[]; filtered: boolean }) {
  const say = useSay();
  const zone = useZone();
  const { checkedAt, error, alerts } = open;
  if (shown.length > 0) {
    return (
      <>
        {checkedAt === null && <p className={classes.unchecked}>{say("alarms.not_checked")}</p>}
        <List alerts={sortedByUrgency(shown)} />
      </>
    );
  }
  if (checkedAt === null) return error ? <Failed error={error} /> : <Loading />;
  const time = clock(checkedAt, zone);
  if (filtered) return <Empty>{say("common.nothing_found")}</Empty>;
  return <Empty>{say(alerts.length === 0 ? "alarms.none_active" : "alarms.none_of_tab", { time })}</Empty>;
}

function List({ alerts }: { alerts: readonly AlertView[] }) {
  return (
    <ul className={layout.list}>
      {alerts.map((alert) => (
        <li key={alert.alert_id}>
          <AlarmCard alert={alert} />
        </li>
      ))}
    </ul>
  );
}

function Past({ priority }: { priority: AlertView["priority"] | undefined }) {
  const say = useSay();
  const past = useHistory(priority, true);
  if (!past.data) return past.error ? <Failed error={past.error} retry={() => void past.refetch()} /> : <Loading />;
  const alerts = past.data.pages.flatMap(({ items }) => items);
  const first = past.data.pages[0]?.pagination;
  if (alerts.length === 0) return <Empty>{say(priority ? "common.nothing_found" : "alarms.history_empty")}</Empty>;
  return (
    <>
      <p className={layout.count} role="status">
        {say(first?.total_is_exact === false ? "common.count_at_least" : "common.count", {
          n: alerts.length,
          total: Math.max(first?.total ?? 0, alerts.length),
        })}
      </p>
      <List alerts={alerts} />
      <NotDone error={past.error} />
      {past.hasNextPage && (
        <Button variant="default" loading={past.isFetchingNextPage} onClick={() => void past.fetchNextPage()}>
          {say("common.show_more")}
        </Button>
      )}
    </>
  );
}
