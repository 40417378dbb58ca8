// The trail: who did what, to whose data, when, and what came of it.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { type Column, DataTable, PAGES } from "../design/data-table.tsx";
import { dayAfter, startOfDay } from "../design/days.ts";
import { Card, Facts, Page } from "../design/page.tsx";
import { clock, date } from "../design/time.ts";
import { useHospitalName, useZone } from "../hospitals/use-hospitals.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { useNames } from "../users/use-names.ts";
import { type AuditEvent, type AuditFilters, listAuditEvents, OUTCOMES } from "./api.ts";
import classes from "./audit.module.css";
import { Filters, isDay } from "./filters.tsx";

export function AuditPage() {
  const say = useSay();
  const zone = useZone();
  const search = useSearch({ from: "/house/admin/audit" });
  const { actor, action, outcome, patient, from, to } = search;
  const known = OUTCOMES.find((one) => one === outcome);
  const day = (text: string, days: number) => new Date(startOfDay(dayAfter(text, days), zone)).toISOString();
  const filters: AuditFilters = {
    ...(actor && { actor_id: actor }),
    ...(action && { event: action }),
    ...(known && { outcome: known }),
    ...(patient && { patient_id: patient }),
    ...(isDay(from) && { from: day(from, 0) }),
    ...(isDay(to) && { to: day(to, 1) }),
  };
  const query = useInfiniteQuery({
    queryKey: ["admin", "audit", filters],
    queryFn: ({ pageParam }) => listAuditEvents(filters, pageParam),
    // Each reading is an event of its own: what is shown stays until somebody asks.
    refetchOnWindowFocus: false,
    ...PAGES,
  });
  const columns: Column<AuditEvent>[] = [
    {
      label: say("audit.when"),
      cell: ({ recorded }) => (
        <time dateTime={recorded} className={classes.word}>
          {date(recorded, zone)}
          <br />
          {clock(recorded, zone)}
        </time>
      ),
    },
    { label: say("audit.who"), cell: ({ actor: who }) => <Who actor={who} /> },
    {
      label: say("audit.what"),
      cell: ({ action: verb, event }) => (
        <>
          {sayOf("audit.verb", verb)}
          <br />
          <code className={classes.word}>{event}</code>
        </>
      ),
    },
    { label: say("audit.about"), cell: ({ entity }) => <About entity={entity} /> },
    {
      label: say("audit.outcome"),
      cell: (event) => (
        <span className={classes.outcome} data-outcome={event.outcome}>
          {sayOf("audit.outcome", event.outcome)}
          {event.reason && (
            <>
              <br />
              <code className={classes.word}>{event.reason}</code>
            </>
          )}
        </span>
      ),
    },
    { label: say("audit.request"), cell: (event) => <Request event={event} /> },
  ];
  return (
    <Page title={say("nav.audit")}>
      <Card>
        <Filters key={JSON.stringify(search)} />
        <DataTable
          label={say("audit.events")}
          columns={columns}
          query={query}
          keyOf={({ seq }) => String(seq)}
          filtered={Object.keys(filters).length > 0}
          empty={say("audit.none")}
        />
      </Card>
    </Page>
  );
}

function Who({ actor: { kind, id, role } }: { actor: AuditEvent["actor"] }) {
  const nameOf = useNames();
  const what = role ? sayOf("role", role) : sayOf("audit.kind", kind);
  if (id === null) return what;
  return (
    <>
      <Link to="/admin/audit" search={(before) => ({ ...before, actor: id })} replace className={classes.who}>
        {nameOf(id) ?? <code>{id.slice(0, 13)}</code>}
      </Link>
      <br />
      {what}
    </>
  );
}

/** What an event is about, with the way there where there is a page. */
function About({ entity }: { entity: AuditEvent["entity"] }) {
  const say = useSay();
  if (entity === null) return say("common.none");
  const { type, id } = entity;
  const shown = <code className={classes.id}>{id}</code>;
  const link = (to: ReactNode) => (
    <>
      {sayOf("audit.entity", type)}
      <br />
      {to}
    </>
  );
  switch (type) {
    case "patient":
      return link(
        <Link to="/patients/$patientId" params={{ patientId: id }}>
          {shown}
        </Link>,
      );
    case "user":
      return link(
        <Link to="/admin/users/$userId" params={{ userId: id }}>
          {shown}
        </Link>,
      );
    case "report":
      return link(
        <Link to="/reports/$reportId" params={{ reportId: id }}>
          {shown}
        </Link>,
      );
    case "hospital":
      return link(
        <Link to="/admin/hospitals/$hospitalId" params={{ hospitalId: id }}>
          {shown}
        </Link>,
      );
    case "device":
      return link(
        <Link to="/devices/$deviceId" params={{ deviceId: id }}>
          {shown}
        </Link>,
      );
    default:
      return link(shown);
  }
}

function Request({ event }: { event: AuditEvent }) {
  const say = useSay();
  const nameOfHospital = useHospitalName();
  const facts: (readonly [string, ReactNode])[] = [
    [say("audit.basis"), event.basis],
    [say("audit.purpose"), event.purpose],
    [say("audit.hospital"), event.hospital_id && nameOfHospital(event.hospital_id)],
    [say("audit.elsewhere"), event.actor_hospital_id && nameOfHospital(event.actor_hospital_id)],
    [say("audit.address"), event.ip],
    [say("audit.told"), event.detail && <code key="told">{JSON.stringify(event.detail)}</code>],
  ];
  const known = facts.filter(([, value]) => value !== null);
  return (
    <>
      <code className={classes.id}>{event.request_id}</code>
      {known.length > 0 && (
        <details className={classes.more}>
          <summary>{say("audit.more")}</summary>
          <Facts items={known} />
        </details>
      )}
    </>
  );
}
