// What happened to a patient, newest first: reports, alarms, devices, intakes.
import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { whatOf } from "../alarms/alert-words.ts";
import { PAGES, Table } from "../design/data-table.tsx";
import { Card, Page } from "../design/page.tsx";
import { PriorityBadge, shownAs } from "../design/priority.tsx";
import { Empty, Failed, Loading } from "../design/states.tsx";
import { dateTime, shortClock } from "../design/time.ts";
import { listAssignments, listDevices } from "../devices/api.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { useReports } from "../reports/api.ts";
import { listAlarmsOf } from "../vitals/api.ts";
import { listIntakes } from "./record-api.ts";
import { usePatientRecord, usePatientShown } from "./shown-patient.ts";
import { type Happened, together } from "./timeline.ts";

type Event = Happened & { what: ReactNode };

export function TimelinePage() {
  const say = useSay();
  const { patientId } = useParams({ from: "/house/patients/$patientId/timeline" });
  const { number, zone } = usePatientShown(patientId);
  const timeline = useTimeline(patientId, zone);
  return (
    <Page title={say("record.tab.timeline")} windowTitle={say("record.window.timeline", { n: number })}>
      <Card>
        {timeline.error ? (
          <Failed error={timeline.error} retry={timeline.retry} />
        ) : timeline.pending ? (
          <Loading />
        ) : timeline.events.length === 0 ? (
          <Empty>{say("record.timeline_empty")}</Empty>
        ) : (
          <>
            <Table
              label={say("record.tab.timeline")}
              items={timeline.events}
              keyOf={({ key }) => key}
              columns={[
                { label: say("record.when"), cell: ({ at }) => dateTime(at, zone) },
                { label: say("record.what"), cell: ({ what }) => what },
              ]}
            />
            {timeline.more && (
              <Button mt="md" variant="default" loading={timeline.fetching} onClick={timeline.more}>
                {say("record.earlier")}
              </Button>
            )}
          </>
        )}
        <p>{say("record.timeline_devices")}</p>
      </Card>
    </Page>
  );
}

/** Everything that the API tells of the patient with a time to it. */
function useTimeline(patientId: string, zone: string | undefined) {
  const say = useSay();
  const record = usePatientRecord(patientId);
  const reports = useReports({ patient_id: patientId });
  const alarms = useInfiniteQuery({
    queryKey: ["alerts", "timeline_of", patientId],
    queryFn: ({ pageParam }) => listAlarmsOf(patientId, pageParam),
    ...PAGES,
  });
  const intakes = useQuery({ queryKey: ["patients", patientId, "intakes"], queryFn: () => listIntakes(patientId) });
  const bindings = useQuery({ queryKey: ["devices", "bindings_of", patientId], queryFn: () => listBindings(patientId) });
  const all = [record, reports, alarms, intakes, bindings];
  const paged = [reports, alarms].filter(({ hasNextPage }) => hasNextPage);

  const ofReports: Event[] = (reports.data?.pages ?? []).flatMap(({ items }) =>
    items.map((report) => ({
      at: report.created_at,
      key: report.report_id,
      what: (
        <Link to="/reports/$reportId" params={{ reportId: report.report_id }}>
          {say("record.happened.report", { kind: sayOf("report_kind", report.kind) })}
        </Link>
      ),
    })),
  );
  const ofAlarms: Event[] = (alarms.data?.pages ?? []).flatMap(({ items }) =>
    items.map((alert) => ({
      at: alert.raised_at,
      key: alert.alert_id,
      what: (
        <>
          <PriorityBadge priority={shownAs(alert)} />{" "}
          <Link to="/alarms/$alertId" params={{ alertId: alert.alert_id }}>
            {say("record.happened.alarm", { what: whatOf(alert) })}
          </Link>{" "}
          {alert.cleared_at && say("record.until", { time: shortClock(alert.cleared_at, zone) })}
        </>
      ),
    })),
  );
  const ofIntakes: Event[] = (intakes.data ?? []).map((intake) => ({
    at: intake.authored_at,
    key: intake.intake_id,
    what: `${say("record.happened.intake")}${intake.chief_complaint ? `: ${intake.chief_complaint}` : ""}`,
  }));
  const ofDevices: Event[] = (bindings.data ?? []).flatMap(({ key, name, started_at, ended_at }) => [
    { at: started_at, key: `${key} on`, what: say("record.happened.bound", { device: name }) },
    ...(ended_at ? [{ at: ended_at, key: `${key} off`, what: say("record.happened.unbound", { device: name }) }] : []),
  ]);
  const made = record.data?.data.created_at;
  return {
    events: together<Event>([
      { items: ofReports, more: reports.hasNextPage },
      { items: ofAlarms, more: alarms.hasNextPage },
      { items: [...ofIntakes, ...ofDevices], more: false },
      { items: made ? [{ at: made, key: "made", what: say("record.happened.registered") }] : [], more: false },
    ]),
    pending: all.some(({ isPending }) => isPending),
    error: all.find(({ error, data }) => error && data === undefined)?.error,
    retry: () => void Promise.all(all.filter(({ isError }) => isError).map(({ refetch }) => refetch())),
    fetching: paged.some(({ isFetchingNextPage }) => isFetchingNextPage),
    more: paged.length > 0 ? () => void Promise.all(paged.map(({ fetchNextPage }) => fetchNextPage())) : null,
  };
}

/** Of the devices that are bound now, every time that they were this patient's. */
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
