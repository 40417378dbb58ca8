// All reports that the caller may see, with filters, and how many there are.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import layout from "../design/layout.module.css";
import { Card, Page } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { number } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { type ReportFilters, useReportStats, useZone } from "./api.ts";
import { beginningOf, endOf, isDay } from "./days.ts";
import { isKind, KINDS } from "./kinds.ts";
import classes from "./report.module.css";
import { ReportList } from "./report-list.tsx";

type Words = { kind?: string; from?: string; to?: string };

export function ReportsPage() {
  const say = useSay();
  const search = useSearch({ from: "/house/reports" });
  const zone = useZone(useMe().hospital?.id);
  return (
    <Page
      title={say("reports.title")}
      actions={
        <Button component={Link} to="/uploads/new">
          {say("reports.upload")}
        </Button>
      }
    >
      <Figures />
      <Filters words={search} />
      <ReportList filters={filtersOf(search, zone)} />
    </Page>
  );
}

/** What the address does not say in a form that we know is not asked for. */
function filtersOf({ kind, from, to }: Words, zone: string | undefined): Omit<ReportFilters, "patient_id"> {
  return {
    kind: isKind(kind) ? kind : undefined,
    from: isDay(from) ? beginningOf(from, zone) : undefined,
    to: isDay(to) ? endOf(to, zone) : undefined,
  };
}

function Filters({ words }: { words: Words }) {
  const say = useSay();
  const navigate = useNavigate({ from: "/reports" });
  const filter = (change: Words) => void navigate({ search: { ...words, ...change }, replace: true });
  const { kind = "", from = "", to = "" } = words;
  return (
    <search className={`${layout.filters} ${classes.filters}`} aria-label={say("common.filters")}>
      <NativeSelect
        label={say("reports.kind")}
        value={kind}
        onChange={(event) => filter({ kind: event.currentTarget.value })}
        data={[{ value: "", label: say("common.all") }, ...KINDS.map((value) => ({ value, label: sayOf("report_kind", value) }))]}
      />
      <TextInput
        type="date"
        label={say("reports.received_from")}
        value={from}
        onChange={(event) => filter({ from: event.currentTarget.value })}
      />
      <TextInput
        type="date"
        label={say("reports.received_to")}
        value={to}
        error={from && to && from > to ? say("reports.range_wrong") : undefined}
        onChange={(event) => filter({ to: event.currentTarget.value })}
      />
      {(kind || from || to) && (
        <Button variant="default" onClick={() => void navigate({ search: {}, replace: true })}>
          {say("common.clear_filters")}
        </Button>
      )}
    </search>
  );
}

function Figures() {
  const say = useSay();
  return (
    <Card>
      <Query query={useReportStats()}>
        {({ total, recent_7_days, by_kind }) => (
          <dl className={`${layout.terms} ${classes.figures}`}>
            <Figure label={say("reports.total")} value={total} />
            <Figure label={say("reports.recent")} value={recent_7_days} />
            {Object.entries(by_kind).map(([kind, n]) => (
              <Figure key={kind} label={sayOf("report_kind", kind)} value={n} />
            ))}
          </dl>
        )}
      </Query>
    </Card>
  );
}

const Figure = ({ label, value }: { label: string; value: number }) => (
  <div>
    <dt>{label}</dt>
    <dd>{number(value)}</dd>
  </div>
);
