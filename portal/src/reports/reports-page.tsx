// Reports that the caller may see, with filters and totals.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { endOfDayIso, isDateString, startOfDayIso } from "../platform/design/calendar-days.ts";
import { formatNumber } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card, Page } from "../platform/design/page.tsx";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { type ReportFilters, useReportStats } from "./api.ts";
import classes from "./report.module.css";
import { isReportKind, KINDS } from "./report-kinds.ts";
import { ReportList } from "./report-list.tsx";

type ReportSearch = { kind?: string; from?: string; to?: string };

export function ReportsPage() {
  const t = useTranslation();
  const search = useSearch({ from: "/signed-in/reports" });
  const zone = useOwnTimeZone();
  return (
    <Page
      title={t("reports.title")}
      actions={
        <Button component={Link} to="/uploads/new">
          {t("reports.upload")}
        </Button>
      }
    >
      <ReportStats />
      <ReportFilterForm search={search} />
      <ReportList filters={toReportFilters(search, zone)} />
    </Page>
  );
}

/** Invalid URL parameters are ignored. */
function toReportFilters({ kind, from, to }: ReportSearch, zone: string | undefined): Omit<ReportFilters, "patient_id"> {
  return {
    kind: isReportKind(kind) ? kind : undefined,
    from: isDateString(from) ? startOfDayIso(from, zone) : undefined,
    to: isDateString(to) ? endOfDayIso(to, zone) : undefined,
  };
}

function ReportFilterForm({ search }: { search: ReportSearch }) {
  const t = useTranslation();
  const navigate = useNavigate({ from: "/reports" });
  const updateSearch = (change: ReportSearch) => void navigate({ search: { ...search, ...change }, replace: true });
  const { kind = "", from = "", to = "" } = search;
  return (
    <search className={`${layout.filters} ${classes.filters}`} aria-label={t("common.filters")}>
      <NativeSelect
        label={t("reports.kind")}
        value={kind}
        onChange={(event) => updateSearch({ kind: event.currentTarget.value })}
        data={[
          { value: "", label: t("common.all") },
          ...KINDS.map((value) => ({ value, label: translateCode("report_kind", value) })),
        ]}
      />
      <TextInput
        type="date"
        label={t("reports.received_from")}
        value={from}
        onChange={(event) => updateSearch({ from: event.currentTarget.value })}
      />
      <TextInput
        type="date"
        label={t("reports.received_to")}
        value={to}
        error={from && to && from > to ? t("reports.range_wrong") : undefined}
        onChange={(event) => updateSearch({ to: event.currentTarget.value })}
      />
      {(kind || from || to) && (
        <Button variant="default" onClick={() => void navigate({ search: {}, replace: true })}>
          {t("common.clear_filters")}
        </Button>
      )}
    </search>
  );
}

function ReportStats() {
  const t = useTranslation();
  return (
    <Card>
      <QueryBoundary query={useReportStats()}>
        {({ total, recent_7_days, by_kind }) => (
          <dl className={`${layout.terms} ${classes.figures}`}>
            <StatFigure label={t("reports.total")} value={total} />
            <StatFigure label={t("reports.recent")} value={recent_7_days} />
            {Object.entries(by_kind).map(([kind, n]) => (
              <StatFigure key={kind} label={translateCode("report_kind", kind)} value={n} />
            ))}
          </dl>
        )}
      </QueryBoundary>
    </Card>
  );
}

const StatFigure = ({ label, value }: { label: string; value: number }) => (
  <div>
    <dt>{label}</dt>
    <dd>{formatNumber(value)}</dd>
  </div>
);
