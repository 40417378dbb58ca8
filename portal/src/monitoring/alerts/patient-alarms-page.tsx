// Open and past alarms of one patient.
import { NativeSelect } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { RULE_NAMES } from "../../../../src/monitoring/alarm-rules/model.ts";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { type Column, CURSOR_PAGINATION, DataTable } from "../../platform/design/data-table.tsx";
import { formatTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card, Page } from "../../platform/design/page.tsx";
import { PriorityBadge, shownAs } from "../../platform/design/priority.tsx";
import { EmptyState, LoadError, Loading } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { AlarmCard, AlarmTimes } from "./alarm-card.tsx";
import { useStaffName } from "./alarm-names.tsx";
import { describeAlarm } from "./alarm-text.ts";
import { type AlertFilters, listAlerts } from "./api.ts";
import classes from "./patient-alarms.module.css";
import { usePatientOpenAlarms } from "./use-alarms.ts";

const REFRESH_MS = 60_000;
const PRIORITIES = ["high", "medium", "low"] as const;
type Filters = Pick<AlertFilters, "priority" | "rule">;

export function PatientAlarmsPage() {
  const t = useTranslation();
  const { patientId = "" } = useParams({ strict: false });
  const search = useSearch({ strict: false });
  const filters: Filters = {
    ...(PRIORITIES.some((one) => one === search.priority) && { priority: search.priority as Filters["priority"] }),
    ...(RULE_NAMES.some((one) => one === search.rule) && { rule: search.rule as Filters["rule"] }),
  };
  return (
    <Page title={t("alarms.title")}>
      <OpenAlarms patientId={patientId} />
      <AlarmHistory patientId={patientId} filters={filters} />
    </Page>
  );
}

function OpenAlarms({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const { alerts, isCurrent, checkedAt, error, refetch } = usePatientOpenAlarms(patientId);
  return (
    <Card title={t("alarms.patient.open")}>
      {!alerts && (error ? <LoadError error={error} retry={refetch} /> : <Loading />)}
      {alerts?.length === 0 &&
        (isCurrent ? (
          <EmptyState>{t("alarms.none_active", { time: formatTime(checkedAt, zone) })}</EmptyState>
        ) : (
          <EmptyState>{t("alarms.not_checked")}</EmptyState>
        ))}
      {alerts && alerts.length > 0 && (
        <ul className={layout.list}>
          {alerts.map((alert) => (
            <li key={alert.alert_id}>
              <AlarmCard alert={alert} name={null} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function AlarmHistory({ patientId, filters }: { patientId: string; filters: Filters }) {
  const t = useTranslation();
  const query = useInfiniteQuery({
    queryKey: ["alerts", "of", patientId, "ended", filters],
    queryFn: ({ pageParam }) => listAlerts({ patient_id: patientId, state: "cleared", ...filters }, pageParam),
    ...CURSOR_PAGINATION,
    refetchInterval: REFRESH_MS,
  });
  const columns: Column<AlertView>[] = [
    { label: t("alarms.priority"), cell: (alert) => <PriorityBadge priority={shownAs(alert)} /> },
    {
      label: t("alarms.alarm"),
      cell: (alert) => (
        <Link to="/alarms/$alertId" params={{ alertId: alert.alert_id }}>
          {describeAlarm(alert)}
        </Link>
      ),
    },
    { label: t("alarms.rule"), cell: ({ rule }) => translateCode("alarms.rule", rule) },
    { label: t("alarms.patient.when"), cell: (alert) => <AlarmTimes alert={alert} /> },
    { label: t("alarms.patient.seen_by"), cell: (alert) => <AcknowledgedBy alert={alert} /> },
  ];
  return (
    <Card title={t("alarms.tab.history")}>
      <AlarmFilterForm patientId={patientId} filters={filters} />
      <DataTable
        label={t("alarms.tab.history")}
        columns={columns}
        rowKey={({ alert_id }) => alert_id}
        query={query}
        isFiltered={Object.keys(filters).length > 0}
        empty={t("alarms.history_empty")}
      />
    </Card>
  );
}

function AcknowledgedBy({ alert }: { alert: AlertView }) {
  const t = useTranslation();
  const name = useStaffName(alert.acknowledged_by);
  return alert.acknowledged_at === null ? t("alarms.patient.unseen") : name;
}

function AlarmFilterForm({ patientId, filters }: { patientId: string; filters: Filters }) {
  const t = useTranslation();
  const navigate = useNavigate();
  const updateSearch = (change: Partial<Record<keyof Filters, string>>) =>
    void navigate({ to: "/patients/$patientId/alarms", params: { patientId }, search: { ...filters, ...change }, replace: true });
  return (
    <search className={classes.filters} aria-label={t("common.filters")}>
      <NativeSelect
        label={t("alarms.priority")}
        data={[
          { value: "", label: t("common.all") },
          ...PRIORITIES.map((value) => ({ value, label: translateCode("alarms.priority", value) })),
        ]}
        value={filters.priority ?? ""}
        onChange={({ currentTarget }) => updateSearch({ priority: currentTarget.value })}
      />
      <NativeSelect
        label={t("alarms.rule")}
        data={[
          { value: "", label: t("common.all") },
          ...RULE_NAMES.map((value) => ({ value, label: translateCode("alarms.rule", value) })),
        ]}
        value={filters.rule ?? ""}
        onChange={({ currentTarget }) => updateSearch({ rule: currentTarget.value })}
      />
    </search>
  );
}
