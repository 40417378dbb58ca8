// Change log of limits and monitoring, from the audit log; managers only.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMe } from "../../accounts/session/use-session.ts";
import { useColleagueName } from "../../organization/hospitals/use-colleagues.ts";
import { CURSOR_PAGINATION, Table } from "../../platform/design/data-table.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import { Card } from "../../platform/design/page.tsx";
import { ActionError, EmptyState, QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { type ChangeEvent, type DefaultRule, listChangeEvents } from "./api.ts";
import { RULE_FIELDS, type RuleField } from "./rule-limits.ts";
import { fieldLabel, formatRuleValue } from "./rule-text.ts";
import classes from "./rules.module.css";
import { useDefaults } from "./use-inherited-rules.ts";

type LimitsChangeLogProps = {
  hospitalId: string | undefined;
  zone: string | undefined;
  /** One patient, or all wards that the caller may see. */
  patientId?: string;
  /** Events to include; default: all. */
  isShown?: (event: ChangeEvent) => boolean;
};

export function LimitsChangeLog({ hospitalId, zone, patientId, isShown = () => true }: LimitsChangeLogProps) {
  const t = useTranslation();
  const eventQueries = [
    useChangeEvents("alert_rule.update", patientId),
    useChangeEvents("alert_rule.delete", patientId),
    useChangeEvents("monitoring.update", patientId),
  ];
  const defaultRules = useDefaults("adult");
  const getActorName = useActorName(hospitalId);
  const error = eventQueries.find((eventQuery) => eventQuery.error)?.error ?? defaultRules.error;
  const isPending = eventQueries.some((eventQuery) => eventQuery.isPending) || defaultRules.isPending;
  const events = eventQueries
    .flatMap(({ data }) => data?.pages.flatMap(({ items }) => items) ?? [])
    .filter(isShown)
    .sort((a, b) => b.seq - a.seq);
  const unfinished = eventQueries.filter(({ hasNextPage }) => hasNextPage);
  const refetch = () => Promise.all([defaultRules, ...eventQueries].map((query) => query.refetch()));
  const columns = [
    { label: t("rules.when"), cell: ({ recorded }: ChangeEvent) => formatDateTime(recorded, zone) },
    { label: t("rules.who"), cell: ({ actor }: ChangeEvent) => getActorName(actor) },
    { label: t("rules.what"), cell: (event: ChangeEvent) => <ChangeCell event={event} defaultRules={defaultRules.data ?? []} /> },
  ];
  return (
    <Card title={t("rules.log")}>
      <QueryBoundary query={{ data: isPending || error ? undefined : events, error, isPending, refetch }}>
        {(shownEvents) => (
          <>
            {shownEvents.length === 0 ? (
              <EmptyState>{t(unfinished.length > 0 ? "rules.none_here" : "rules.log_empty")}</EmptyState>
            ) : (
              <Table label={t("rules.log")} columns={columns} items={shownEvents} rowKey={({ seq }) => String(seq)} />
            )}
            {unfinished.length > 0 && (
              <Button
                variant="default"
                mt="sm"
                loading={unfinished.some(({ isFetchingNextPage }) => isFetchingNextPage)}
                onClick={() => void Promise.all(unfinished.map((eventQuery) => eventQuery.fetchNextPage()))}
              >
                {t("rules.older")}
              </Button>
            )}
            <ActionError error={eventQueries.find(({ isFetchNextPageError }) => isFetchNextPageError)?.error} />
          </>
        )}
      </QueryBoundary>
    </Card>
  );
}

const useChangeEvents = (event: string, patientId: string | undefined) =>
  useInfiniteQuery({
    queryKey: ["rules", "log", event, patientId],
    queryFn: ({ pageParam }) => listChangeEvents({ event, cursor: pageParam, ...(patientId && { patientId }) }),
    ...CURSOR_PAGINATION,
  });

/** Names of the hospital's staff; of others their role alone is known. */
export function useActorName(hospitalId: string | undefined): (actor: { id: string | null; role: string | null }) => string {
  const t = useTranslation();
  const me = useMe();
  const getColleagueName = useColleagueName(hospitalId);
  return ({ id, role }) => {
    if (id === me.user_id) return t("rules.you");
    return getColleagueName(id) ?? (role ? translateCode("role", role) : t("common.unknown"));
  };
}

type LimitValues = Partial<Record<string, number | boolean | null>>;
const toLimitValues = (value: unknown): LimitValues | null =>
  typeof value === "object" && value !== null ? (value as LimitValues) : null;

function ChangeCell({ event: { event, detail }, defaultRules }: { event: ChangeEvent; defaultRules: readonly DefaultRule[] }) {
  const t = useTranslation();
  const [before, after] = [toLimitValues(detail?.["before"]), toLimitValues(detail?.["after"])];
  if (event === "monitoring.update") return <ScoreChange before={before ?? {}} after={after ?? {}} />;
  const vital = defaultRules.find(({ code }) => code === detail?.["code"]) ?? { name: String(detail?.["code"] ?? ""), unit: "" };
  const title = t(after ? "rules.log_set" : "rules.log_back", { vital: translateCode("vital", vital.name) });
  const formatValue = (values: LimitValues | null, field: RuleField) => {
    const value = values?.[field];
    return value === undefined ? t("rules.inherited") : formatRuleValue(vital, field, value);
  };
  return (
    <div>
      {title}
      <ul className={classes.manner}>
        {RULE_FIELDS.filter((field) => before?.[field] !== after?.[field]).map((field) => (
          <li key={field}>
            {fieldLabel(field)}: {formatValue(before, field)} → {formatValue(after, field)}
          </li>
        ))}
      </ul>
    </div>
  );
}

function ScoreChange({ before, after }: { before: LimitValues; after: LimitValues }) {
  const t = useTranslation();
  const answer = (value: unknown) => t(value ? "common.yes" : "common.no");
  return (
    <ul className={classes.manner}>
      {before["spo2_scale"] !== after["spo2_scale"] && <li>{t("rules.log_scale", { n: Number(after["spo2_scale"] ?? 1) })}</li>}
      {Boolean(before["pregnant"]) !== Boolean(after["pregnant"]) && (
        <li>{t("rules.log_pregnant", { answer: answer(after["pregnant"]) })}</li>
      )}
      {(before["observation_mode"] ?? null) !== (after["observation_mode"] ?? null) && (
        <li>{t("rules.log_watch", { mode: translateCode("rules.watch", String(after["observation_mode"] ?? "ward")) })}</li>
      )}
    </ul>
  );
}
