// Access log of a patient's record, newest first: who, when, what and why; as CSV, and each entry with its proof.
import { Button, Checkbox, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMe } from "../../accounts/session/use-session.ts";
import { exportEvents, readProof } from "../../audit/api.ts";
import { serverNow } from "../../monitoring/live/server-clock.ts";
import { SELF_CARE_HOSPITAL_ID } from "../../organization/hospitals/api.ts";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { addDays, dayInZone, isDateString, startOfDay } from "../../platform/design/calendar-days.ts";
import { CURSOR_PAGINATION, Table } from "../../platform/design/data-table.tsx";
import { FileButton } from "../../platform/design/file-button.tsx";
import { formatDate, formatShortTime, formatTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { OlderEntries, useOlderEntries } from "../../platform/design/open-ended-list.tsx";
import { Card } from "../../platform/design/page.tsx";
import { LoadError, Loading } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { AccessQuestion } from "../../privacy/access-question.tsx";
import type { PatientSummary } from "../api.ts";
import { AccessActor } from "./access-actor.tsx";
import { type AccessGroup, groupAccessEvents } from "./access-log.ts";
import { type AccessEvent, type AccessFilters, listAccess } from "./api.ts";
import classes from "./me.module.css";
import { MyPage } from "./my-page.tsx";

export function MyAccessPage() {
  const t = useTranslation();
  return <MyPage title={t("me.who_saw")}>{(record) => <AccessLog key={record.patient_id} record={record} />}</MyPage>;
}

function AccessLog({ record: { patient_id, hospital_id } }: { record: PatientSummary }) {
  const t = useTranslation();
  const { from, to } = useSearch({ from: "/signed-in/me/access" });
  const zone = useHospitalTimeZone(hospital_id);
  const filters = toAccessFilters(from, to, zone);
  const filterKey = JSON.stringify(filters);
  const exportFilters = { patient_id, ...filters };
  return (
    <>
      <p>{t("me.access_text")}</p>
      <AccessFilterForm />
      <AccessTable key={filterKey} patientId={patient_id} filters={filters} zone={zone} />
      <Card>
        <div className={layout.acts}>
          <FileButton
            key={filterKey}
            load={(signal) => exportEvents("csv", exportFilters, signal)}
            fileName={`access-log-${dayInZone(serverNow(), zone)}.csv`}
          >
            {t("me.csv")}
          </FileButton>
        </div>
        <p className={layout.note}>{t("me.csv_text")}</p>
        <details className={classes.proofs}>
          <summary>{t("me.proof_title")}</summary>
          <p>{t("me.proof_text")}</p>
        </details>
      </Card>
    </>
  );
}

function AccessFilterForm() {
  const t = useTranslation();
  const { from, to, mine } = useSearch({ from: "/signed-in/me/access" });
  const navigate = useNavigate({ from: "/me/access" });
  const updateSearch = (change: { from?: string; to?: string; mine?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  return (
    <div className={`${layout.filters} ${classes.filters}`}>
      <TextInput
        type="date"
        label={t("me.from_day")}
        value={from ?? ""}
        max={to ?? ""}
        onChange={(event) => updateSearch({ from: event.target.value })}
      />
      <TextInput
        type="date"
        label={t("me.to_day")}
        value={to ?? ""}
        min={from ?? ""}
        onChange={(event) => updateSearch({ to: event.target.value })}
      />
      <div className={classes.check}>
        <Checkbox
          label={t("me.show_mine")}
          checked={mine === "yes"}
          onChange={(event) => updateSearch({ mine: event.target.checked ? "yes" : "" })}
        />
      </div>
    </div>
  );
}

/** Days in the hospital's time zone, the last one inclusive. */
function toAccessFilters(from: string | undefined, to: string | undefined, zone: string | undefined): AccessFilters {
  return {
    ...(isDateString(from) && { from: new Date(startOfDay(from, zone)).toISOString() }),
    ...(isDateString(to) && { to: new Date(startOfDay(addDays(to), zone)).toISOString() }),
  };
}

function AccessTable({ patientId, filters, zone }: { patientId: string; filters: AccessFilters; zone: string | undefined }) {
  const t = useTranslation();
  const { user_id } = useMe();
  const { from, to, mine } = useSearch({ from: "/signed-in/me/access" });
  const queryKey = ["me", "access", patientId, filters];
  const query = useInfiniteQuery({
    queryKey,
    queryFn: async ({ pageParam }) => ({ ...(await listAccess(patientId, filters, pageParam)), readAt: serverNow() }),
    // The log grows with every access: the page reads it when it is opened and when the patient asks.
    staleTime: 0,
    refetchOnWindowFocus: false,
    ...CURSOR_PAGINATION,
  });
  const client = useQueryClient();
  const pages = query.data?.pages ?? [];
  const events = pages.flatMap(({ items }) => items);
  const shown = mine === "yes" ? events : events.filter(({ actor }) => actor.id !== user_id);
  const groups = groupAccessEvents(shown, user_id, zone);
  const older = useOlderEntries(query, groups.length);

  if (!query.data) return query.error ? <LoadError error={query.error} retry={() => void query.refetch()} /> : <Loading />;
  return (
    <Card>
      <div className={layout.acts}>
        <p className={layout.count}>{t("common.checked_at", { time: formatTime(pages[0]?.readAt ?? serverNow(), zone) })}</p>
        <Button size="compact-sm" variant="default" onClick={() => void client.resetQueries({ queryKey })}>
          {t("common.refresh")}
        </Button>
      </div>
      {groups.length > 0 && <AccessGroups groups={groups} zone={zone} />}
      <OlderEntries
        query={query}
        older={older}
        shown={shown.length}
        empty={t(from || to ? "common.nothing_found" : "me.nobody_yet")}
      />
    </Card>
  );
}

function AccessGroups({ groups, zone }: { groups: readonly AccessGroup<AccessEvent>[]; zone: string | undefined }) {
  const t = useTranslation();
  return (
    <Table
      label={t("me.who_saw")}
      columns={[
        { label: t("me.when"), cell: (group) => <AccessTime group={group} zone={zone} /> },
        {
          label: t("me.who"),
          cell: ({ latestEvent: at }) => (
            <AccessActor actor={at.actor} actorHospitalId={at.actor_hospital_id ?? at.hospital_id} />
          ),
        },
        { label: t("me.what"), cell: ({ messageKey }) => t(messageKey) },
        { label: t("me.why"), cell: ({ reasonKeys }) => reasonKeys.map((key) => t(key)).join(" ") },
        { label: t("me.proof"), cell: ({ events }) => <Proofs events={events} zone={zone} /> },
        { label: t("me.question"), cell: (group) => <QuestionCell group={group} zone={zone} /> },
      ]}
      items={groups}
      rowKey={({ key }) => key}
    />
  );
}

/** Of an access by somebody else to data of a hospital: its privacy officers answer. */
function QuestionCell({ group: { events, latestEvent }, zone }: { group: AccessGroup<AccessEvent>; zone: string | undefined }) {
  const { user_id } = useMe();
  const { actor, hospital_id } = latestEvent;
  const isAnswerable = actor.id !== user_id && hospital_id !== null && hospital_id !== SELF_CARE_HOSPITAL_ID;
  return isAnswerable && <AccessQuestion events={events} zone={zone} />;
}

function AccessTime({ group: { events, latestEvent }, zone }: { group: AccessGroup<AccessEvent>; zone: string | undefined }) {
  const t = useTranslation();
  const last = latestEvent.recorded;
  const [begin, end] = [formatShortTime(events.at(-1)?.recorded ?? last, zone), formatShortTime(last, zone)];
  const times = begin === end ? end : `${begin} – ${end}`;
  const n = events.length;
  return (
    <span>
      {formatDate(last, zone)}, {times}
      {n > 1 && <span className={layout.muted}> · {t("me.times", { n })}</span>}
    </span>
  );
}

/** The proof of each entry of a row. */
function Proofs({ events, zone }: { events: readonly AccessEvent[]; zone: string | undefined }) {
  const t = useTranslation();
  const [first] = events;
  if (events.length === 1 && first) return <ProofButton event={first} zone={zone} />;
  return (
    <details className={classes.proofs}>
      <summary>{t("me.proofs", { n: events.length })}</summary>
      <ul className={layout.bare}>
        {events.map((event) => (
          <li key={event.id}>
            {formatTime(event.recorded, zone)} <ProofButton event={event} zone={zone} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function ProofButton({ event, zone }: { event: AccessEvent; zone: string | undefined }) {
  const t = useTranslation();
  return (
    <FileButton
      isCompact
      load={(signal) => readProof(event, signal)}
      fileName={`edgecare-proof-${event.id}.json`}
      label={t("me.proof_of", { time: formatTime(event.recorded, zone) })}
    >
      {t("me.proof")}
    </FileButton>
  );
}
