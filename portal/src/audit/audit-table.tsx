// Table of audit events, newest first, with their proofs.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useUserNames } from "../accounts/users/use-user-names.ts";
import { useHospitalName, useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { Problem } from "../platform/api/problem.ts";
import { type Column, CURSOR_PAGINATION, Table } from "../platform/design/data-table.tsx";
import { FileButton } from "../platform/design/file-button.tsx";
import { formatDate, formatNumber, formatTime } from "../platform/design/format.ts";
import { OlderEntries, useOlderEntries } from "../platform/design/open-ended-list.tsx";
import { DescriptionList } from "../platform/design/page.tsx";
import { LoadError, Loading } from "../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { type AuditEvent, type AuditFilters, listAuditEvents, readProof } from "./api.ts";
import classes from "./audit.module.css";
import { ExportButtons } from "./export-buttons.tsx";

/** Mounted anew for other filters. */
export function AuditTable({ filters }: { filters: AuditFilters }) {
  const t = useTranslation();
  const columns = useColumns();
  const query = useInfiniteQuery({
    queryKey: ["admin", "audit", filters],
    queryFn: ({ pageParam }) => listAuditEvents(filters, pageParam),
    // Each read is itself an audit event, so the list is refreshed only on request.
    refetchOnWindowFocus: false,
    ...CURSOR_PAGINATION,
  });
  const events = query.data?.pages.flatMap(({ items }) => items) ?? [];
  const older = useOlderEntries(query, events.length);
  if (isHospitalNeeded(query.error)) return <p role="status">{t("audit.choose_hospital")}</p>;
  if (!query.data) return query.error ? <LoadError error={query.error} retry={() => void query.refetch()} /> : <Loading />;
  const empty = t(Object.keys(filters).length > 0 ? "common.nothing_found" : "audit.none");
  return (
    <>
      <ExportButtons filters={filters} />
      {events.length > 0 && (
        <Table label={t("audit.events")} columns={columns} items={events} rowKey={({ id, log }) => `${log} ${id}`} />
      )}
      <OlderEntries query={query} older={older} shown={events.length} empty={empty} />
    </>
  );
}

/** The service lists the logs of many hospitals one at a time. */
const isHospitalNeeded = (error: unknown): boolean =>
  error instanceof Problem && error.errors.some(({ path, code }) => path === "hospital_id" && code === "required");

function useColumns(): Column<AuditEvent>[] {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  return [
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
  if (entity === null) return t("audit.no_resource");
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
    [t("audit.basis"), event.basis && translateCode("audit.basis", event.basis)],
    [t("audit.purpose"), event.purpose === null ? t("common.unknown") : translateCode("audit.purpose", event.purpose)],
    [t("audit.log"), event.log === null ? t("audit.no_hospital_log") : nameOfHospital(event.log)],
    [t("audit.index"), formatNumber(event.seq)],
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
          <FileButton isCompact load={(signal) => readProof(event, signal)} fileName={`edgecare-proof-${event.id}.json`}>
            {t("audit.proof")}
          </FileButton>
        </details>
      )}
    </>
  );
}
