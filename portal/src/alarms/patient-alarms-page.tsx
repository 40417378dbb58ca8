// The alarms of one patient: those that are open, to act on, and those that have ended.
import { NativeSelect } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import type { AlertView } from "../../../src/monitoring/patient-object/contract.ts";
import { type Column, DataTable, PAGES } from "../design/data-table.tsx";
import layout from "../design/layout.module.css";
import { Card, Page } from "../design/page.tsx";
import { PriorityBadge, shownAs } from "../design/priority.tsx";
import { Empty, Failed, Loading } from "../design/states.tsx";
import { clock } from "../design/time.ts";
import { useLink, useLivePatient } from "../live/use-live.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { AlarmCard, Times } from "./alarm-card.tsx";
import { whatOf } from "./alert-words.ts";
import { type AlertFilters, listAlerts } from "./api.ts";
import { useStaffName } from "./names.tsx";
import classes from "./patient-alarms.module.css";
import { useZone } from "./zone.ts";

const AGAIN_MS = 15_000;
const PRIORITIES = ["high", "medium", "low"] as const;
const RULES = ["limit", "rate", "trend", "news2", "silence", "device_silence", "technical"] as const;
type Filters = Pick<AlertFilters, "priority" | "rule">;

export function PatientAlarmsPage() {
  const say = useSay();
  const { patientId = "" } = useParams({ strict: false });
  const search = useSearch({ strict: false });
  const filters: Filters = {
    ...(PRIORITIES.some((one) => one === search.priority) && { priority: search.priority as Filters["priority"] }),
    ...(RULES.some((one) => one === search.rule) && { rule: search.rule as Filters["rule"] }),
  };
  return (
    <Page title={say("alarms.title")}>
      <Open patientId={patientId} />
      <History patientId={patientId} filters={filters} />
    </Page>
  );
}

const RANK = { high: 0, medium: 1, low: 2 };
const isSeen = ({ state }: AlertView) => state === "acknowledged";

/** New ones before those that somebody has seen, the urgent first, then the newest. */
const byUrgency = (a: AlertView, b: AlertView) =>
  Number(isSeen(a)) - Number(isSeen(b)) || RANK[a.priority] - RANK[b.priority] || b.raised_at.localeCompare(a.raised_at);

/** As the live view has them; as the API says where nobody watches this patient or the line is down. */
function useOpenAlarms(patientId: string) {
  const live = useLivePatient(patientId);
  const isLive = useLink().status === "live" && live !== undefined;
  const query = useInfiniteQuery({
    queryKey: ["alerts", "of", patientId, "open"],
    queryFn: ({ pageParam }) => listAlerts({ patient_id: patientId, open: "true" }, pageParam),
    ...PAGES,
    refetchInterval: AGAIN_MS,
  });
  const read: AlertView[] | undefined = query.data?.pages.flatMap(({ items }) => items);
  return { alerts: isLive ? [...live.alerts.values()] : read, query };
}

function Open({ patientId }: { patientId: string }) {
  const say = useSay();
  const zone = useZone();
  const { alerts, query } = useOpenAlarms(patientId);
  return (
    <Card title={say("alarms.patient.open")}>
      {!alerts && (query.error ? <Failed error={query.error} retry={() => void query.refetch()} /> : <Loading />)}
      {alerts?.length === 0 &&
        (query.error ? (
          <Empty>{say("alarms.not_checked")}</Empty>
        ) : (
          <Empty>{say("alarms.none_active", { time: clock(query.dataUpdatedAt || Date.now(), zone) })}</Empty>
        ))}
      {alerts && alerts.length > 0 && (
        <ul className={layout.list}>
          {alerts.toSorted(byUrgency).map((alert) => (
            <li key={alert.alert_id}>
              <AlarmCard alert={alert} name={null} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function History({ patientId, filters }: { patientId: string; filters: Filters }) {
  const say = useSay();
  const query = useInfiniteQuery({
    queryKey: ["alerts", "of", patientId, "ended", filters],
    queryFn: ({ pageParam }) => listAlerts({ patient_id: patientId, state: "cleared", ...filters }, pageParam),
    ...PAGES,
    refetchInterval: AGAIN_MS * 4,
  });
  const columns: Column<AlertView>[] = [
    { label: say("alarms.priority"), cell: (alert) => <PriorityBadge priority={shownAs(alert)} /> },
    {
      label: say("alarms.alarm"),
      cell: (alert) => (
        <Link to="/alarms/$alertId" params={{ alertId: alert.alert_id }}>
          {whatOf(alert)}
        </Link>
      ),
    },
    { label: say("alarms.rule"), cell: ({ rule }) => sayOf("alarms.rule", rule) },
    { label: say("alarms.patient.when"), cell: (alert) => <Times alert={alert} /> },
    { label: say("alarms.patient.seen_by"), cell: (alert) => <SeenBy alert={alert} /> },
  ];
  return (
    <Card title={say("alarms.tab.history")}>
      <Choices patientId={patientId} filters={filters} />
      <DataTable
        label={say("alarms.tab.history")}
        columns={columns}
        keyOf={({ alert_id }) => alert_id}
        query={query}
        filtered={Object.keys(filters).length > 0}
        empty={say("alarms.history_empty")}
      />
    </Card>
  );
}

function SeenBy({ alert }: { alert: AlertView }) {
  const say = useSay();
  const name = useStaffName(alert.acknowledged_by);
  return alert.acknowledged_at === null ? say("alarms.patient.unseen") : name;
}

function Choices({ patientId, filters }: { patientId: string; filters: Filters }) {
  const say = useSay();
  const navigate = useNavigate();
  const set = (change: Partial<Record<keyof Filters, string>>) =>
    void navigate({ to: "/patients/$patientId/alarms", params: { patientId }, search: { ...filters, ...change }, replace: true });
  return (
    <search className={classes.filters} aria-label={say("common.filters")}>
      <NativeSelect
        label={say("alarms.priority")}
        data={[
          { value: "", label: say("common.all") },
          ...PRIORITIES.map((value) => ({ value, label: sayOf("alarms.priority", value) })),
        ]}
        value={filters.priority ?? ""}
        onChange={({ currentTarget }) => set({ priority: currentTarget.value })}
      />
      <NativeSelect
        label={say("alarms.rule")}
        data={[{ value: "", label: say("common.all") }, ...RULES.map((value) => ({ value, label: sayOf("alarms.rule", value) }))]}
        value={filters.rule ?? ""}
        onChange={({ currentTarget }) => set({ rule: currentTarget.value })}
      />
    </search>
  );
}
