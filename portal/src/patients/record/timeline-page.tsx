// Timeline of a patient, newest first: reports, alarms, devices and intakes.
import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { listAssignments, listDevices } from "../../devices/api.ts";
import { describeAlarm } from "../../monitoring/alerts/alarm-text.ts";
import { listPatientAlarms } from "../../monitoring/vitals/api.ts";
import { CURSOR_PAGINATION, Table } from "../../platform/design/data-table.tsx";
import { formatDateTime, formatShortTime } from "../../platform/design/format.ts";
import { Card, Page } from "../../platform/design/page.tsx";
import { PriorityBadge, shownAs } from "../../platform/design/priority.tsx";
import { EmptyState, LoadError, Loading } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { useReports } from "../../reports/api.ts";
import { mergeTimelines, type TimelineItem } from "./merge-timelines.ts";
import { useIntakes } from "./record-api.ts";
import { usePatientNumberAndZone, usePatientRecord } from "./use-patient-record.ts";

type TimelineEvent = TimelineItem & { what: ReactNode };

export function TimelinePage() {
  const t = useTranslation();
  const { patientId } = useParams({ from: "/signed-in/patients/$patientId/timeline" });
  const { number, zone } = usePatientNumberAndZone(patientId);
  const timeline = useTimeline(patientId, zone);
  return (
    <Page title={t("record.tab.timeline")} windowTitle={t("record.window.timeline", { n: number })}>
      <Card>
        {timeline.error ? (
          <LoadError error={timeline.error} retry={timeline.retryFailed} />
        ) : timeline.isPending ? (
          <Loading />
        ) : timeline.events.length === 0 ? (
          <EmptyState>{t("record.timeline_empty")}</EmptyState>
        ) : (
          <>
            <Table
              label={t("record.tab.timeline")}
              items={timeline.events}
              rowKey={({ key }) => key}
              columns={[
                { label: t("record.when"), cell: ({ at }) => formatDateTime(at, zone) },
                { label: t("record.what"), cell: ({ what }) => what },
              ]}
            />
            {timeline.loadMore && (
              <Button mt="md" variant="default" loading={timeline.isFetchingMore} onClick={timeline.loadMore}>
                {t("record.earlier")}
              </Button>
            )}
          </>
        )}
        <p>{t("record.timeline_devices")}</p>
      </Card>
    </Page>
  );
}

/** All timed events of the patient that the API provides. */
function useTimeline(patientId: string, zone: string | undefined) {
  const t = useTranslation();
  const record = usePatientRecord(patientId);
  const reports = useReports({ patient_id: patientId });
  const alarms = useInfiniteQuery({
    queryKey: ["alerts", "timeline_of", patientId],
    queryFn: ({ pageParam }) => listPatientAlarms(patientId, pageParam),
    ...CURSOR_PAGINATION,
  });
  const intakes = useIntakes(patientId);
  const bindings = useQuery({ queryKey: ["devices", "bindings_of", patientId], queryFn: () => listBindings(patientId) });
  const queries = [record, reports, alarms, intakes, bindings];
  const pagedQueries = [reports, alarms, intakes].filter(({ hasNextPage }) => hasNextPage);

  const reportEvents: TimelineEvent[] = (reports.data?.pages ?? []).flatMap(({ items }) =>
    items.map((report) => ({
      at: report.created_at,
      key: report.report_id,
      what: (
        <Link to="/reports/$reportId" params={{ reportId: report.report_id }}>
          {t("record.happened.report", { kind: translateCode("report_kind", report.kind) })}
        </Link>
      ),
    })),
  );
  const alarmEvents: TimelineEvent[] = (alarms.data?.pages ?? []).flatMap(({ items }) =>
    items.map((alert) => ({
      at: alert.raised_at,
      key: alert.alert_id,
      what: (
        <>
          <PriorityBadge priority={shownAs(alert)} />{" "}
          <Link to="/alarms/$alertId" params={{ alertId: alert.alert_id }}>
            {t("record.happened.alarm", { what: describeAlarm(alert) })}
          </Link>{" "}
          {alert.cleared_at && t("record.until", { time: formatShortTime(alert.cleared_at, zone) })}
        </>
      ),
    })),
  );
  const intakeEvents: TimelineEvent[] = (intakes.data?.pages ?? []).flatMap(({ items }) =>
    items.map((intake) => ({
      at: intake.authored_at,
      key: intake.intake_id,
      what: `${t("record.happened.intake")}${intake.chief_complaint ? `: ${intake.chief_complaint}` : ""}`,
    })),
  );
  const bindingEvents: TimelineEvent[] = (bindings.data ?? []).flatMap(({ key, name, started_at, ended_at }) => [
    { at: started_at, key: `${key} on`, what: t("record.happened.bound", { device: name }) },
    ...(ended_at ? [{ at: ended_at, key: `${key} off`, what: t("record.happened.unbound", { device: name }) }] : []),
  ]);
  const createdAt = record.data?.data.created_at;
  return {
    events: mergeTimelines<TimelineEvent>([
      { items: reportEvents, hasMore: reports.hasNextPage },
      { items: alarmEvents, hasMore: alarms.hasNextPage },
      { items: intakeEvents, hasMore: intakes.hasNextPage },
      { items: bindingEvents, hasMore: false },
      { items: createdAt ? [{ at: createdAt, key: "made", what: t("record.happened.registered") }] : [], hasMore: false },
    ]),
    isPending: queries.some(({ isPending }) => isPending),
    error: queries.find(({ error, data }) => error && data === undefined)?.error,
    retryFailed: () => void Promise.all(queries.filter(({ isError }) => isError).map(({ refetch }) => refetch())),
    isFetchingMore: pagedQueries.some(({ isFetchingNextPage }) => isFetchingNextPage),
    loadMore: pagedQueries.length > 0 ? () => void Promise.all(pagedQueries.map(({ fetchNextPage }) => fetchNextPage())) : null,
  };
}

/** All assignments to this patient of the devices that are assigned now. */
async function listBindings(patientId: string) {
  const { items } = await listDevices({ patient_id: patientId }, null);
  const lists = await Promise.all(
    items.map(async ({ device_id, name }) => ({ name, assignments: (await listAssignments(device_id, null)).items })),
  );
  return lists.flatMap(({ name, assignments }) =>
    assignments
      .filter((assignment) => assignment.patient_id === patientId)
      .map(({ device_id, started_at, ended_at }) => ({ key: `${device_id} ${started_at}`, name, started_at, ended_at })),
  );
}
