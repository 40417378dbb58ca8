// Who changed limits and monitoring, when and how: from the audit trail, which managers alone may read.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { PAGES, Table } from "../design/data-table.tsx";
import { Card } from "../design/page.tsx";
import { Empty, NotDone, Query } from "../design/states.tsx";
import { dateTime } from "../design/time.ts";
import { useColleagues } from "../hospitals/use-colleagues.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { type Default, readTrail, type TrailEvent } from "./api.ts";
import { FIELDS, type Field } from "./limits.ts";
import classes from "./rules.module.css";
import { useDefaults } from "./use-beneath.ts";
import { fieldText, valueText } from "./words.ts";

type LogProps = {
  hospitalId: string | undefined;
  zone: string | undefined;
  /** Of one patient, or of all wards the caller may read of. */
  patientId?: string;
  /** Of these only. */
  isShown?: (event: TrailEvent) => boolean;
};

export function LimitsLog({ hospitalId, zone, patientId, isShown = () => true }: LogProps) {
  const say = useSay();
  const trails = [
    useTrail("alert_rule.update", patientId),
    useTrail("alert_rule.delete", patientId),
    useTrail("monitoring.update", patientId),
  ];
  const vitals = useDefaults("adult");
  const nameOf = useStaffName(hospitalId);
  const error = trails.find((trail) => trail.error)?.error ?? vitals.error;
  const isPending = trails.some((trail) => trail.isPending) || vitals.isPending;
  const events = trails
    .flatMap(({ data }) => data?.pages.flatMap(({ items }) => items) ?? [])
    .filter(isShown)
    .sort((a, b) => b.seq - a.seq);
  const more = trails.filter(({ hasNextPage }) => hasNextPage);
  const refetch = () => Promise.all([vitals, ...trails].map((query) => query.refetch()));
  const columns = [
    { label: say("rules.when"), cell: ({ recorded }: TrailEvent) => dateTime(recorded, zone) },
    { label: say("rules.who"), cell: ({ actor }: TrailEvent) => nameOf(actor) },
    { label: say("rules.what"), cell: (event: TrailEvent) => <What event={event} vitals={vitals.data ?? []} /> },
  ];
  return (
    <Card title={say("rules.log")}>
      <Query query={{ data: isPending || error ? undefined : events, error, isPending, refetch }}>
        {(shown) => (
          <>
            {shown.length === 0 ? (
              <Empty>{say(more.length > 0 ? "rules.none_here" : "rules.log_empty")}</Empty>
            ) : (
              <Table label={say("rules.log")} columns={columns} items={shown} keyOf={({ seq }) => String(seq)} />
            )}
            {more.length > 0 && (
              <Button
                variant="default"
                mt="sm"
                loading={more.some(({ isFetchingNextPage }) => isFetchingNextPage)}
                onClick={() => void Promise.all(more.map((trail) => trail.fetchNextPage()))}
              >
                {say("rules.older")}
              </Button>
            )}
            <NotDone error={trails.find(({ isFetchNextPageError }) => isFetchNextPageError)?.error} />
          </>
        )}
      </Query>
    </Card>
  );
}

const useTrail = (event: string, patientId: string | undefined) =>
  useInfiniteQuery({
    queryKey: ["rules", "log", event, patientId],
    queryFn: ({ pageParam }) => readTrail({ event, cursor: pageParam, ...(patientId && { patientId }) }),
    ...PAGES,
  });

/** Names of the hospital's staff; of others their role alone is known. */
export function useStaffName(hospitalId: string | undefined): (actor: { id: string | null; role: string | null }) => string {
  const say = useSay();
  const me = useMe();
  const { data } = useColleagues(hospitalId);
  return ({ id, role }) => {
    if (id === me.user_id) return say("rules.you");
    const found = data?.find(({ user_id }) => user_id === id)?.full_name;
    return found ?? (role ? sayOf("role", role) : say("common.unknown"));
  };
}

type Values = Partial<Record<string, number | boolean | null>>;
const valuesOf = (value: unknown): Values | null => (typeof value === "object" && value !== null ? (value as Values) : null);

function What({ event: { event, detail }, vitals }: { event: TrailEvent; vitals: readonly Default[] }) {
  const say = useSay();
  const [before, after] = [valuesOf(detail?.["before"]), valuesOf(detail?.["after"])];
  if (event === "monitoring.update") return <Score before={before ?? {}} after={after ?? {}} />;
  const vital = vitals.find(({ code }) => code === detail?.["code"]) ?? { name: String(detail?.["code"] ?? ""), unit: "" };
  const title = say(after ? "rules.log_set" : "rules.log_back", { vital: sayOf("vital", vital.name) });
  const text = (values: Values | null, field: Field) => {
    const value = values?.[field];
    return value === undefined ? say("rules.inherited") : valueText(vital, field, value);
  };
  return (
    <div>
      {title}
      <ul className={classes.manner}>
        {FIELDS.filter((field) => before?.[field] !== after?.[field]).map((field) => (
          <li key={field}>
            {fieldText(field)}: {text(before, field)} → {text(after, field)}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Score({ before, after }: { before: Values; after: Values }) {
  const say = useSay();
  const answer = (value: unknown) => say(value ? "common.yes" : "common.no");
  return (
    <ul className={classes.manner}>
      {before["spo2_scale"] !== after["spo2_scale"] && <li>{say("rules.log_scale", { n: Number(after["spo2_scale"] ?? 1) })}</li>}
      {Boolean(before["pregnant"]) !== Boolean(after["pregnant"]) && (
        <li>{say("rules.log_pregnant", { answer: answer(after["pregnant"]) })}</li>
      )}
    </ul>
  );
}
