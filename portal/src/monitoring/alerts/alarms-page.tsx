// Alarms of all visible patients: new, acknowledged, recovered and past.
import { Button } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { formatTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Page } from "../../platform/design/page.tsx";
import { EmptyState, LoadError, Loading, RefetchError } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { sortedByUrgency } from "../live/patient-state.ts";
import { AlarmCard } from "./alarm-card.tsx";
import classes from "./alarms-page.module.css";
import { type OpenAlarms, useAlarmHistory, useOpenAlarms } from "./use-alarms.ts";

const TABS = ["new", "acknowledged", "recovered", "history"] as const;
type Tab = (typeof TABS)[number];
const STATE_BY_TAB: Readonly<Record<Exclude<Tab, "history">, AlertView["state"]>> = {
  new: "active",
  acknowledged: "acknowledged",
  recovered: "recovered",
};
const PRIORITIES = ["high", "medium", "low"] as const;

export function AlarmsPage() {
  const t = useTranslation();
  const navigate = useNavigate();
  const search = useSearch({ from: "/signed-in/alarms" });
  const tab = TABS.find((option) => option === search.state) ?? "new";
  const priority = PRIORITIES.find((option) => option === search.priority);
  const open = useOpenAlarms();
  const filteredAlarms = open.alerts.filter((alert) => !priority || alert.priority === priority);
  const alarmsIn = (option: Exclude<Tab, "history">) => filteredAlarms.filter(({ state }) => state === STATE_BY_TAB[option]);
  const updateSearch = (to: { state?: Tab; priority?: string | undefined }) =>
    void navigate({ to: "/alarms", search: (before) => ({ ...before, ...to }), replace: true });
  return (
    <Page title={t("alarms.title")}>
      <nav className={classes.tabs} aria-label={t("alarms.tabs")}>
        {TABS.map((option) => (
          <button
            key={option}
            type="button"
            aria-current={tab === option ? "page" : undefined}
            onClick={() => updateSearch({ state: option })}
          >
            {t(`alarms.tab.${option}`)}
            {option !== "history" && <span className={classes.n}>{open.checkedAt === null ? "—" : alarmsIn(option).length}</span>}
          </button>
        ))}
      </nav>
      <fieldset className={classes.filters}>
        <legend className="visually-hidden">{t("alarms.priority")}</legend>
        {[undefined, ...PRIORITIES].map((option) => (
          <button
            key={option ?? "all"}
            type="button"
            aria-pressed={priority === option}
            onClick={() => updateSearch({ priority: option })}
          >
            {option === undefined ? t("common.all") : t(`alarms.priority.${option}`)}
          </button>
        ))}
      </fieldset>
      {tab === "history" ? (
        <AlarmHistory priority={priority} />
      ) : (
        <OpenAlarmList open={open} alarms={alarmsIn(tab)} isFiltered={priority !== undefined} />
      )}
    </Page>
  );
}

function OpenAlarmList({ open, alarms, isFiltered }: { open: OpenAlarms; alarms: readonly AlertView[]; isFiltered: boolean }) {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const { checkedAt, error, alerts } = open;
  if (alarms.length > 0) {
    return (
      <>
        {checkedAt === null && <p className={classes.unchecked}>{t("alarms.not_checked")}</p>}
        <AlarmList alerts={sortedByUrgency(alarms)} />
      </>
    );
  }
  if (checkedAt === null) return error ? <LoadError error={error} /> : <Loading />;
  const time = formatTime(checkedAt, zone);
  if (isFiltered) return <EmptyState>{t("common.nothing_found")}</EmptyState>;
  return <EmptyState>{t(alerts.length === 0 ? "alarms.none_active" : "alarms.none_of_tab", { time })}</EmptyState>;
}

function AlarmList({ alerts }: { alerts: readonly AlertView[] }) {
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

function AlarmHistory({ priority }: { priority: AlertView["priority"] | undefined }) {
  const t = useTranslation();
  const history = useAlarmHistory(priority, true);
  if (!history.data)
    return history.error ? <LoadError error={history.error} retry={() => void history.refetch()} /> : <Loading />;
  const alerts = history.data.pages.flatMap(({ items }) => items);
  const pagination = history.data.pages[0]?.pagination;
  if (alerts.length === 0) return <EmptyState>{t(priority ? "common.nothing_found" : "alarms.history_empty")}</EmptyState>;
  return (
    <>
      <p className={layout.count} role="status">
        {t(pagination?.total_is_exact === false ? "common.count_at_least" : "common.count", {
          n: alerts.length,
          total: Math.max(pagination?.total ?? 0, alerts.length),
        })}
      </p>
      <AlarmList alerts={alerts} />
      <RefetchError error={history.error} />
      {history.hasNextPage && (
        <Button variant="default" loading={history.isFetchingNextPage} onClick={() => void history.fetchNextPage()}>
          {t("common.show_more")}
        </Button>
      )}
    </>
  );
}
