// Who saw or changed a patient's record, newest first: the trail in plain words.
import { Button, Checkbox, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { PAGES, Table } from "../design/data-table.tsx";
import { dayAfter, startOfDay } from "../design/days.ts";
import layout from "../design/layout.module.css";
import { Card } from "../design/page.tsx";
import { Empty, Failed, Loading, NotDone } from "../design/states.tsx";
import { date, shortClock } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import { useZone } from "../reports/api.ts";
import { useMe } from "../session/use-session.ts";
import { type Visit, visitsOf } from "./access.ts";
import { type AccessFilters, listAccess } from "./api.ts";
import classes from "./me.module.css";
import { MyPage } from "./record.tsx";
import { Visitor } from "./visitor.tsx";

/** The own visits stand in the trail too: so many pages are read for others before somebody has to ask for more. */
const READ_AHEAD = 5;
const ENOUGH = 10;

export function MyAccessPage() {
  const say = useSay();
  return (
    <MyPage title={say("me.who_saw")}>
      {({ patient_id, hospital_id }) => (
        <>
          <p>{say("me.access_text")}</p>
          <Filters />
          <Visits key={patient_id} patientId={patient_id} hospitalId={hospital_id} />
        </>
      )}
    </MyPage>
  );
}

function Filters() {
  const say = useSay();
  const { from, to, mine } = useSearch({ from: "/house/me/access" });
  const navigate = useNavigate({ from: "/me/access" });
  const filter = (change: { from?: string; to?: string; mine?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  return (
    <div className={`${layout.filters} ${classes.filters}`}>
      <TextInput
        type="date"
        label={say("me.from_day")}
        value={from ?? ""}
        max={to ?? ""}
        onChange={(event) => filter({ from: event.target.value })}
      />
      <TextInput
        type="date"
        label={say("me.to_day")}
        value={to ?? ""}
        min={from ?? ""}
        onChange={(event) => filter({ to: event.target.value })}
      />
      <div className={classes.check}>
        <Checkbox
          label={say("me.show_mine")}
          checked={mine === "yes"}
          onChange={(event) => filter({ mine: event.target.checked ? "yes" : "" })}
        />
      </div>
    </div>
  );
}

const isDay = (text: string | undefined): text is string => text !== undefined && /^\d{4}-\d\d-\d\d$/.test(text);

/** Days of the hospital's zone, the last one whole. */
function instantsOf(from: string | undefined, to: string | undefined, zone: string | undefined): AccessFilters {
  return {
    ...(isDay(from) && { from: new Date(startOfDay(from, zone)).toISOString() }),
    ...(isDay(to) && { to: new Date(startOfDay(dayAfter(to), zone)).toISOString() }),
  };
}

function Visits({ patientId, hospitalId }: { patientId: string; hospitalId: string }) {
  const say = useSay();
  const { user_id } = useMe();
  const { from, to, mine } = useSearch({ from: "/house/me/access" });
  const zone = useZone(hospitalId);
  const filters = instantsOf(from, to, zone);
  const query = useInfiniteQuery({
    queryKey: ["me", "access", patientId, filters],
    queryFn: ({ pageParam }) => listAccess(patientId, filters, pageParam),
    ...PAGES,
  });
  const { data, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  const pages = data?.pages.length ?? 0;
  const events = data?.pages.flatMap(({ items }) => items) ?? [];
  const visits = visitsOf(mine === "yes" ? events : events.filter(({ actor }) => actor.id !== user_id), zone);
  const wantsMore = hasNextPage && !isFetchingNextPage && !isFetchNextPageError && pages < READ_AHEAD && visits.length < ENOUGH;
  useEffect(() => {
    if (wantsMore) void fetchNextPage();
  }, [wantsMore, fetchNextPage]);

  if (!data) return query.error ? <Failed error={query.error} retry={() => void query.refetch()} /> : <Loading />;
  return (
    <Card>
      {visits.length === 0 && !isFetchingNextPage && <Empty>{say(from || to ? "common.nothing_found" : "me.nobody_yet")}</Empty>}
      {visits.length > 0 && (
        <Table
          label={say("me.who_saw")}
          columns={[
            { label: say("me.when"), cell: (visit) => <When visit={visit} zone={zone} /> },
            { label: say("me.who"), cell: ({ at }) => <Visitor event={at} /> },
            { label: say("me.what"), cell: ({ what }) => say(what) },
          ]}
          items={visits}
          keyOf={({ key }) => key}
        />
      )}
      <NotDone error={query.error} />
      {hasNextPage && (
        <Button mt="sm" variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {say("me.earlier")}
        </Button>
      )}
    </Card>
  );
}

function When({ visit: { first, last, n }, zone }: { visit: Visit; zone: string | undefined }) {
  const say = useSay();
  const [begin, end] = [shortClock(first, zone), shortClock(last, zone)];
  const times = begin === end ? end : `${begin} – ${end}`;
  return (
    <span>
      {date(last, zone)}, {times}
      {n > 1 && <span className={layout.muted}> · {say("me.times", { n })}</span>}
    </span>
  );
}
