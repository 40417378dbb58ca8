// Audit log page: who did what, to whose data, when, and with which outcome.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useUserNames } from "../accounts/users/use-user-names.ts";
import { useHospitalName, useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { addDays, isDateString, startOfDay } from "../platform/design/calendar-days.ts";
import { type Column, CURSOR_PAGINATION, DataTable } from "../platform/design/data-table.tsx";
import { formatDate, formatTime } from "../platform/design/format.ts";
import { Card, DescriptionList, Page } from "../platform/design/page.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { type AuditEvent, type AuditFilters, listAuditEvents, OUTCOMES } from "./api.ts";
import classes from "./audit.module.css";
import { AuditFilterForm } from "./audit-filter-form.tsx";

export function AuditPage() {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const search = useSearch({ from: "/signed-in/admin/audit" });
  const { actor, action, outcome, patient, from, to } = search;
  const knownOutcome = OUTCOMES.find((one) => one === outcome);
  const dayStartIso = (text: string, days: number) => new Date(startOfDay(addDays(text, days), zone)).toISOString();
  const filters: AuditFilters = {
    ...(actor && { actor_id: actor }),
    ...(action && { event: action }),
    ...(knownOutcome && { outcome: knownOutcome }),
    ...(patient && { patient_id: patient }),
    ...(isDateString(from) && { from: dayStartIso(from, 0) }),
    ...(isDateString(to) && { to: dayStartIso(to, 1) }),
  };
  const query = useInfiniteQuery({
    queryKey: ["admin", "audit", filters],
    queryFn: ({ pageParam }) => listAuditEvents(filters, pageParam),
    // Each read is itself an audit event, so the list is refreshed only on request.
    refetchOnWindowFocus: false,
    ...CURSOR_PAGINATION,
  });
  const columns: Column<AuditEvent>[] = [
    {
      label: t("audit.when"),
      cell: ({ recorded }) => (
        <time dateTime={recorded} className={classes.word}>
          {formatDate(recorded, zone)}
          <br />
          {formatTime(recorded, zone)}
        </time>
      ),
    },
    { label: t("audit.who"), cell: ({ actor: eventActor }) => <ActorCell actor={eventActor} /> },
    {
      label: t("audit.what"),
      cell: ({ action: verb, event }) => (
        <>
          {translateCode("audit.verb", verb)}
          <br />
          <code className={classes.word}>{event}</code>
        </>
      ),
    },
    { label: t("audit.about"), cell: ({ entity }) => <EntityCell entity={entity} /> },
    {
      label: t("audit.outcome"),
      cell: (event) => (
        <span className={classes.outcome} data-outcome={event.outcome}>
          {translateCode("audit.outcome", event.outcome)}
          {event.reason && (
            <>
              <br />
              <code className={classes.word}>{event.reason}</code>
            </>
          )}
        </span>
      ),
    },
    { label: t("audit.request"), cell: (event) => <RequestCell event={event} /> },
  ];
  return (
    <Page title={t("nav.audit")}>
      <Card>
        <AuditFilterForm key={JSON.stringify(search)} />
        <DataTable
          label={t("audit.events")}
          columns={columns}
          query={query}
          rowKey={({ seq }) => String(seq)}
          isFiltered={Object.keys(filters).length > 0}
          empty={t("audit.none")}
        />
      </Card>
    </Page>
  );
}

function ActorCell({ actor: { kind, id, role } }: { actor: AuditEvent["actor"] }) {
  const nameOf = useUserNames();
  const label = role ? translateCode("role", role) : translateCode("audit.kind", kind);
  if (id === null) return label;
  return (
    <>
      <Link to="/admin/audit" search={(before) => ({ ...before, actor: id })} replace className={classes.who}>
        {nameOf(id) ?? <code>{id.slice(0, 13)}</code>}
      </Link>
      <br />
      {label}
    </>
  );
}

/** The resource of an event, with a link where a page exists. */
function EntityCell({ entity }: { entity: AuditEvent["entity"] }) {
  const t = useTranslation();
  if (entity === null) return t("common.none");
  const { type, id } = entity;
  const entityId = <code className={classes.id}>{id}</code>;
  const withType = (to: ReactNode) => (
    <>
      {translateCode("audit.entity", type)}
      <br />
      {to}
    </>
  );
  switch (type) {
    case "patient":
      return withType(
        <Link to="/patients/$patientId" params={{ patientId: id }}>
          {entityId}
        </Link>,
      );
    case "user":
      return withType(
        <Link to="/admin/users/$userId" params={{ userId: id }}>
          {entityId}
        </Link>,
      );
    case "report":
      return withType(
        <Link to="/reports/$reportId" params={{ reportId: id }}>
          {entityId}
        </Link>,
      );
    case "hospital":
      return withType(
        <Link to="/admin/hospitals/$hospitalId" params={{ hospitalId: id }}>
          {entityId}
        </Link>,
      );
    case "device":
      return withType(
        <Link to="/devices/$deviceId" params={{ deviceId: id }}>
          {entityId}
        </Link>,
      );
    default:
      return withType(entityId);
  }
}

function RequestCell({ event }: { event: AuditEvent }) {
  const t = useTranslation();
  const nameOfHospital = useHospitalName();
  const facts: (readonly [string, ReactNode])[] = [
    [t("audit.basis"), event.basis],
    [t("audit.purpose"), event.purpose],
    [t("audit.hospital"), event.hospital_id && nameOfHospital(event.hospital_id)],
    [t("audit.elsewhere"), event.actor_hospital_id && nameOfHospital(event.actor_hospital_id)],
    [t("audit.address"), event.ip],
    [t("audit.told"), event.detail && <code key="told">{JSON.stringify(event.detail)}</code>],
  ];
  const knownFacts = facts.filter(([, value]) => value !== null);
  return (
    <>
      <code className={classes.id}>{event.request_id}</code>
      {knownFacts.length > 0 && (
        <details className={classes.more}>
          <summary>{t("audit.more")}</summary>
          <DescriptionList items={knownFacts} />
        </details>
      )}
    </>
  );
}
