// One patient at a glance: the numbers of now, the score, the last hours, the newest report, devices, history.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import layout from "../design/layout.module.css";
import { Card, Facts, Page } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { age, dateTime, number } from "../design/time.ts";
import { listDevices } from "../devices/api.ts";
import type { LivePatient } from "../live/store.ts";
import { useLivePatient, useServerNow } from "../live/use-live.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { ChartGrid } from "../vitals/chart-grid.tsx";
import { CHARTS, MAIN } from "../vitals/charted.ts";
import { LiveNumbers } from "../vitals/live-numbers.tsx";
import { News2 } from "../vitals/news2.tsx";
import { type ChartSearch, useWindow } from "../vitals/use-window.ts";
import classes from "./overview.module.css";
import { readSummary } from "./record-api.ts";
import { usePatientRecord, usePatientShown } from "./shown-patient.ts";

type OfPatient = { patientId: string; zone: string | undefined };

export function OverviewPage() {
  const say = useSay();
  const { patientId } = useParams({ from: "/house/patients/$patientId" });
  const { number: n, zone } = usePatientShown(patientId);
  return (
    <Page title={say("record.tab.overview")} windowTitle={say("record.window.overview", { n })}>
      <div className={classes.columns}>
        <div className={layout.stack}>
          <Card title={say("record.now")}>
            <div className={layout.stack}>
              <LiveNumbers patientId={patientId} />
              <News2 patientId={patientId} />
            </div>
          </Card>
          <LastHours patientId={patientId} zone={zone} />
        </div>
        <div className={layout.stack}>
          <NewestReport patientId={patientId} zone={zone} />
          <Devices patientId={patientId} />
          <ShortHistory patientId={patientId} />
        </div>
      </div>
    </Page>
  );
}

const SHOWN = CHARTS.filter(({ id }) => MAIN.includes(id));
const SIX_HOURS: ChartSearch = { range: "6h" };

/** Whoever zooms in here goes on where there is more to zoom with. */
function LastHours({ patientId, zone }: OfPatient) {
  const say = useSay();
  const navigate = useNavigate();
  const [search] = useState(SIX_HOURS);
  const [shown, moves] = useWindow(patientId, search, ({ from = "", to = "" }) => {
    void navigate({ to: "/patients/$patientId/vitals", params: { patientId }, search: { from, to } });
  });
  return (
    <Card
      title={say("record.last_hours")}
      actions={
        <Link to="/patients/$patientId/vitals" params={{ patientId }}>
          {say("record.all_charts")}
        </Link>
      }
    >
      <ChartGrid
        patientId={patientId}
        among={SHOWN}
        shown={shown}
        zone={zone}
        plain={false}
        table={false}
        onZoom={moves.zoomTo}
      />
    </Card>
  );
}

const useSummary = (patientId: string) =>
  useQuery({ queryKey: ["patients", patientId, "summary"], queryFn: () => readSummary(patientId) });

function NewestReport({ patientId, zone }: OfPatient) {
  const say = useSay();
  const summary = useSummary(patientId);
  return (
    <Card title={say("record.newest_report")}>
      <Query query={summary}>
        {({ latest_report: report, reports }) =>
          report ? (
            <>
              <Facts
                items={[
                  [sayOf("report_kind", report.kind), dateTime(report.effective_at, zone)],
                  [say("vital.heart_rate"), report.heart_rate === null ? "—" : `${number(report.heart_rate)} /min`],
                  [say("record.reports_total"), number(reports.total)],
                ]}
              />
              <p className={classes.way}>
                <Link to="/reports/$reportId" params={{ reportId: report.report_id }}>
                  {say("record.open_report")}
                </Link>
              </p>
            </>
          ) : (
            <p>{say("record.no_report")}</p>
          )
        }
      </Query>
    </Card>
  );
}

function Devices({ patientId }: { patientId: string }) {
  const say = useSay();
  const now = useServerNow(5_000);
  const live = useLivePatient(patientId);
  const query = useQuery({
    queryKey: ["devices", "bound_to", patientId],
    queryFn: () => listDevices({ patient_id: patientId }, null),
  });
  const heard = (deviceId: string) => {
    if (!live) return null;
    const at = lastHeard(live, deviceId);
    return at ? say("record.last_heard", { age: age((now - at) / 1000) }) : say("record.never_heard");
  };
  return (
    <Card title={say("record.devices")}>
      <Query query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <p>{say("record.no_device")}</p>
          ) : (
            <Facts
              items={items.map(({ device_id, name, kind }) => [
                sayOf("devices.kind", kind),
                <span key={device_id}>
                  <Link to="/devices/$deviceId" params={{ deviceId: device_id }}>
                    {name}
                  </Link>{" "}
                  <span className={layout.note}>{heard(device_id)}</span>
                </span>,
              ])}
            />
          )
        }
      </Query>
    </Card>
  );
}

/** When anything came of a device, epoch milliseconds: told once when the view opens, and by every sample since. */
function lastHeard({ devices, latest }: LivePatient, deviceId: string): number | null {
  const told = devices.find(({ device_id }) => device_id === deviceId)?.last_seen_at;
  const samples = [...latest.values()].filter(({ device_id }) => device_id === deviceId);
  const times = [told, ...samples.map(({ received_at }) => received_at)].flatMap((at) => (at ? [Date.parse(at)] : []));
  return times.length > 0 ? Math.max(...times) : null;
}

const SHORT = 240;

function ShortHistory({ patientId }: { patientId: string }) {
  const say = useSay();
  const record = usePatientRecord(patientId);
  return (
    <Card title={say("record.history")}>
      <Query query={record}>
        {({ data: { symptoms, medical_history: history } }) => (
          <>
            {symptoms.length > 0 && (
              <p>
                <strong>{say("record.symptoms")}:</strong> {symptoms.join(", ")}
              </p>
            )}
            {history && <p>{history.length > SHORT ? `${history.slice(0, SHORT)}…` : history}</p>}
            {symptoms.length === 0 && !history && <p>{say("record.no_history")}</p>}
            <p className={classes.way}>
              <Link to="/patients/$patientId/history" params={{ patientId }}>
                {say("record.whole_history")}
              </Link>
            </p>
          </>
        )}
      </Query>
    </Card>
  );
}
