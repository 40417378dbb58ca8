// Access log of a patient's record, newest first.
import { Button, Checkbox, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { useMe } from "../../accounts/session/use-session.ts";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { addDays, isDateString, startOfDay } from "../../platform/design/calendar-days.ts";
import { CURSOR_PAGINATION, Table } from "../../platform/design/data-table.tsx";
import { formatDate, formatShortTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card } from "../../platform/design/page.tsx";
import { EmptyState, LoadError, Loading, RefetchError } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { AccessActor } from "./access-actor.tsx";
import { type AccessGroup, groupAccessEvents } from "./access-log.ts";
import { type AccessFilters, listAccess } from "./api.ts";
import classes from "./me.module.css";
import { MyPage } from "./my-page.tsx";

/** The log contains the patient's own accesses too: pages read automatically to find others. */
const MAX_AUTO_PAGES = 5;
const MIN_GROUPS = 10;

export function MyAccessPage() {
  const t = useTranslation();
  return (
    <MyPage title={t("me.who_saw")}>
      {({ patient_id, hospital_id }) => (
        <>
          <p>{t("me.access_text")}</p>
          <AccessFilterForm />
          <AccessTable key={patient_id} patientId={patient_id} hospitalId={hospital_id} />
        </>
      )}
    </MyPage>
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

function AccessTable({ patientId, hospitalId }: { patientId: string; hospitalId: string }) {
  const t = useTranslation();
  const { user_id } = useMe();
  const { from, to, mine } = useSearch({ from: "/signed-in/me/access" });
  const zone = useHospitalTimeZone(hospitalId);
  const filters = toAccessFilters(from, to, zone);
  const query = useInfiniteQuery({
    queryKey: ["me", "access", patientId, filters],
    queryFn: ({ pageParam }) => listAccess(patientId, filters, pageParam),
    ...CURSOR_PAGINATION,
  });
  const { data, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  const pages = data?.pages.length ?? 0;
  const events = data?.pages.flatMap(({ items }) => items) ?? [];
  const groups = groupAccessEvents(mine === "yes" ? events : events.filter(({ actor }) => actor.id !== user_id), zone);
  const needsMore =
    hasNextPage && !isFetchingNextPage && !isFetchNextPageError && pages < MAX_AUTO_PAGES && groups.length < MIN_GROUPS;
  useEffect(() => {
    if (needsMore) void fetchNextPage();
  }, [needsMore, fetchNextPage]);

  if (!data) return query.error ? <LoadError error={query.error} retry={() => void query.refetch()} /> : <Loading />;
  return (
    <Card>
      {groups.length === 0 && !isFetchingNextPage && (
        <EmptyState>{t(from || to ? "common.nothing_found" : "me.nobody_yet")}</EmptyState>
      )}
      {groups.length > 0 && (
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
            { label: t("me.what"), cell: ({ messageKey: what }) => t(what) },
          ]}
          items={groups}
          rowKey={({ key }) => key}
        />
      )}
      <RefetchError error={query.error} />
      {hasNextPage && (
        <Button mt="sm" variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t("me.earlier")}
        </Button>
      )}
    </Card>
  );
}

function AccessTime({ group: { first, last, count: n }, zone }: { group: AccessGroup; zone: string | undefined }) {
  const t = useTranslation();
  const [begin, end] = [formatShortTime(first, zone), formatShortTime(last, zone)];
  const times = begin === end ? end : `${begin} – ${end}`;
  return (
    <span>
      {formatDate(last, zone)}, {times}
      {n > 1 && <span className={layout.muted}> · {t("me.times", { n })}</span>}
    </span>
  );
}
