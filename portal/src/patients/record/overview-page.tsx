// Patient overview: current values, score, recent charts, latest report, devices and history.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useMe } from "../../accounts/session/use-session.ts";
import { listDevices } from "../../devices/api.ts";
import type { LivePatient } from "../../monitoring/live/patient-store.ts";
import { useLivePatient, useServerNow } from "../../monitoring/live/use-live.ts";
import { EnterObservations } from "../../monitoring/observation-set/enter-observations.tsx";
import { TrendLine } from "../../monitoring/trend-mark/trend-line.tsx";
import { CHARTS, MAIN_CHARTS } from "../../monitoring/vitals/chart-catalogue.ts";
import { ChartGrid } from "../../monitoring/vitals/chart-grid.tsx";
import { LiveVitals } from "../../monitoring/vitals/live-numbers.tsx";
import { News2 } from "../../monitoring/vitals/news2.tsx";
import type { ChartSearch } from "../../monitoring/vitals/time-window.ts";
import { useWindow } from "../../monitoring/vitals/use-window.ts";
import { formatAge, formatDateTime, formatNumber } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { LinkButton } from "../../platform/design/link-button.tsx";
import { Card, DescriptionList, Page } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { formatMetric } from "../../reports/format-metric.ts";
import classes from "./overview.module.css";
import { readSummary } from "./record-api.ts";
import { useIsReadOnly, usePatientNumberAndZone, usePatientRecord } from "./use-patient-record.ts";

type PatientProps = { patientId: string; zone: string | undefined };

/** Who may take a whole record along. */
const EXPORTERS: readonly string[] = ["doctor", "hospital_admin"];

export function PatientOverviewPage() {
  const t = useTranslation();
  const { patientId } = useParams({ from: "/signed-in/patients/$patientId" });
  const { number: n, zone } = usePatientNumberAndZone(patientId);
  const isReadOnly = useIsReadOnly(patientId);
  const { role } = useMe();
  return (
    <Page
      title={t("record.tab.overview")}
      windowTitle={t("record.window.overview", { n })}
      actions={
        EXPORTERS.includes(role) && (
          <LinkButton to="/patients/$patientId/export" params={{ patientId }} variant="default">
            {t("exports.record")}
          </LinkButton>
        )
      }
    >
      <div className={classes.columns}>
        <div className={layout.stack}>
          <Card title={t("record.now")} actions={!isReadOnly && <EnterObservations patientId={patientId} />}>
            <div className={layout.stack}>
              <LiveVitals patientId={patientId} />
              <News2 patientId={patientId} />
              <TrendLine patientId={patientId} />
            </div>
          </Card>
          <RecentChartsCard patientId={patientId} zone={zone} />
        </div>
        <div className={layout.stack}>
          <LatestReportCard patientId={patientId} zone={zone} />
          {!isReadOnly && <DevicesCard patientId={patientId} />}
          <HistoryExcerptCard patientId={patientId} />
          {!isReadOnly && <OtherHospitalsCard patientId={patientId} />}
        </div>
      </div>
    </Page>
  );
}

const OVERVIEW_CHARTS = CHARTS.filter(({ id }) => MAIN_CHARTS.includes(id));
const SIX_HOURS: ChartSearch = { range: "6h" };

/** Zooming opens the vitals page, which has all chart tools. */
function RecentChartsCard({ patientId, zone }: PatientProps) {
  const t = useTranslation();
  const navigate = useNavigate();
  const [search] = useState(SIX_HOURS);
  const [shown, windowControls] = useWindow(patientId, search, ({ from = "", to = "" }) => {
    void navigate({ to: "/patients/$patientId/vitals", params: { patientId }, search: { from, to } });
  });
  return (
    <Card
      title={t("record.last_hours")}
      actions={
        <Link to="/patients/$patientId/vitals" params={{ patientId }}>
          {t("record.all_charts")}
        </Link>
      }
    >
      <ChartGrid
        patientId={patientId}
        candidates={OVERVIEW_CHARTS}
        shown={shown}
        zone={zone}
        isPlain={false}
        isTable={false}
        onZoom={windowControls.zoomTo}
      />
    </Card>
  );
}

function OtherHospitalsCard({ patientId }: { patientId: string }) {
  const t = useTranslation();
  return (
    <Card title={t("consents.others")}>
      <p className={classes.way}>
        <Link to="/patients/$patientId/other-hospitals" params={{ patientId }}>
          {t("consents.to_others")}
        </Link>
      </p>
    </Card>
  );
}

const useSummary = (patientId: string) =>
  useQuery({ queryKey: ["patients", patientId, "summary"], queryFn: () => readSummary(patientId) });

function LatestReportCard({ patientId, zone }: PatientProps) {
  const t = useTranslation();
  const summary = useSummary(patientId);
  return (
    <Card title={t("record.newest_report")}>
      <QueryBoundary query={summary}>
        {({ latest_report: report, reports }) =>
          report && reports ? (
            <>
              <DescriptionList
                items={[
                  [translateCode("report_kind", report.kind), formatDateTime(report.effective_at, zone)],
                  [t("vital.heart_rate"), formatMetric("heart_rate", report.heart_rate)],
                  [t("record.reports_total"), formatNumber(reports.total)],
                ]}
              />
              <p className={classes.way}>
                <Link to="/reports/$reportId" params={{ reportId: report.report_id }}>
                  {t("record.open_report")}
                </Link>
              </p>
            </>
          ) : (
            <p>{t("record.no_report")}</p>
          )
        }
      </QueryBoundary>
    </Card>
  );
}

function DevicesCard({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const now = useServerNow(5_000);
  const live = useLivePatient(patientId);
  const query = useQuery({
    queryKey: ["devices", "bound_to", patientId],
    queryFn: () => listDevices({ patient_id: patientId }, null),
  });
  const getLastSeenText = (deviceId: string) => {
    if (!live) return null;
    const at = getLastSeenAt(live, deviceId);
    return at ? t("record.last_heard", { age: formatAge((now - at) / 1000) }) : t("record.never_heard");
  };
  return (
    <Card title={t("record.devices")}>
      <QueryBoundary query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <p>{t("record.no_device")}</p>
          ) : (
            <DescriptionList
              items={items.map(({ device_id, name, kind }) => [
                translateCode("devices.kind", kind),
                <span key={device_id}>
                  <Link to="/devices/$deviceId" params={{ deviceId: device_id }}>
                    {name}
                  </Link>{" "}
                  <span className={layout.note}>{getLastSeenText(device_id)}</span>
                </span>,
              ])}
            />
          )
        }
      </QueryBoundary>
    </Card>
  );
}

/** Last data of a device, epoch milliseconds: the first response, updated by every sample. */
function getLastSeenAt({ devices, latest }: LivePatient, deviceId: string): number | null {
  const reported = devices.find(({ device_id }) => device_id === deviceId)?.last_seen_at;
  const samples = [...latest.values()].filter(({ device_id }) => device_id === deviceId);
  const times = [reported, ...samples.map(({ received_at }) => received_at)].flatMap((at) => (at ? [Date.parse(at)] : []));
  return times.length > 0 ? Math.max(...times) : null;
}

const MAX_EXCERPT_LENGTH = 240;

function HistoryExcerptCard({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const record = usePatientRecord(patientId);
  return (
    <Card title={t("record.history")}>
      <QueryBoundary query={record}>
        {({ data: { symptoms, medical_history: history } }) => (
          <>
            {symptoms.length > 0 && (
              <p>
                <strong>{t("record.symptoms")}:</strong> {symptoms.join(", ")}
              </p>
            )}
            {history && <p>{history.length > MAX_EXCERPT_LENGTH ? `${history.slice(0, MAX_EXCERPT_LENGTH)}…` : history}</p>}
            {symptoms.length === 0 && !history && <p>{t("record.no_history")}</p>}
            <p className={classes.way}>
              <Link to="/patients/$patientId/history" params={{ patientId }}>
                {t("record.whole_history")}
              </Link>
            </p>
          </>
        )}
      </QueryBoundary>
    </Card>
  );
}
