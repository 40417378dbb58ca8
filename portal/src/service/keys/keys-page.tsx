// Progress of a rotation of the keys of stored data, for platform administrators.
import { useQuery } from "@tanstack/react-query";
import { useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { Table } from "../../platform/design/data-table.tsx";
import { formatDateTime, formatNumber } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card, Page } from "../../platform/design/page.tsx";
import { EmptyState, QueryBoundary, RefetchError } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { type KeyOfRing, type KeyStatus, readKeyStatus, type SealedStore } from "./api.ts";
import { countAllRemaining, countRemaining } from "./remaining.ts";

/** The job runs once per minute. */
const REFRESH_MS = 60_000;
/** What the service calls the key of values in a format that it does not know. */
const UNKNOWN_FORMAT = "?";

export function KeysPage() {
  const t = useTranslation();
  const query = useQuery({ queryKey: ["admin", "keys"], queryFn: readKeyStatus, refetchInterval: REFRESH_MS });
  return (
    <Page title={t("nav.keys")}>
      <p>{t("rotation.text")}</p>
      {query.data && <RefetchError error={query.error} />}
      <QueryBoundary query={query}>
        {(status) => (
          <>
            <Card title={t("rotation.keys")}>
              <Summary status={status} />
              <KeyTable status={status} />
            </Card>
            <Card title={t("rotation.stores")}>
              <StoreTable status={status} />
            </Card>
            <Card title={t("rotation.how")}>
              <p>{t("rotation.how_text")}</p>
            </Card>
          </>
        )}
      </QueryBoundary>
    </Page>
  );
}

function Summary({ status }: { status: KeyStatus }) {
  const t = useTranslation();
  const remaining = countAllRemaining(status);
  const isRotating = status.keys.length > 1;
  if (!isRotating) return <p>{t("rotation.one_key")}</p>;
  return (
    <>
      <p role="status">
        <strong>
          {remaining === null ? t("rotation.remaining_unknown") : t("rotation.remaining", { n: formatNumber(remaining) })}
        </strong>
      </p>
      {remaining === null && <p>{t("rotation.waiting")}</p>}
    </>
  );
}

function KeyTable({ status: { current_key_id, keys } }: { status: KeyStatus }) {
  const t = useTranslation();
  const describe = ({ key_id, in_ring, can_be_dropped }: KeyOfRing) => {
    if (key_id === current_key_id) return t("rotation.current");
    if (key_id === UNKNOWN_FORMAT) return t("rotation.unreadable");
    if (!in_ring) return t("rotation.missing");
    return t(can_be_dropped ? "rotation.can_be_dropped" : "rotation.still_needed");
  };
  return (
    <Table
      label={t("rotation.keys")}
      columns={[
        {
          label: t("rotation.key"),
          cell: ({ key_id }) => (key_id === UNKNOWN_FORMAT ? t("rotation.unknown_format") : <code>{key_id}</code>),
        },
        {
          label: t("rotation.values"),
          cell: ({ values }) => (values === null ? t("rotation.not_counted") : formatNumber(values)),
          align: "end",
        },
        { label: t("rotation.state"), cell: describe },
      ]}
      items={keys}
      rowKey={({ key_id }) => key_id}
    />
  );
}

function StoreTable({ status: { current_key_id, stores } }: { status: KeyStatus }) {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const count = (n: number | null) => (n === null ? t("rotation.not_counted") : formatNumber(n));
  const listValues = ({ values }: SealedStore) =>
    values === null
      ? t("rotation.not_counted")
      : Object.entries(values)
          .map(([keyId, n]) => `${keyId === UNKNOWN_FORMAT ? t("rotation.unknown_format") : keyId}: ${formatNumber(n)}`)
          .join(", ") || formatNumber(0);
  if (stores.length === 0) return <EmptyState>{t("rotation.no_stores")}</EmptyState>;
  return (
    <div className={layout.stack}>
      <Table
        label={t("rotation.stores")}
        columns={[
          { label: t("rotation.store"), cell: ({ store }) => translateCode("rotation.stored", store) },
          { label: t("rotation.phase"), cell: ({ phase }) => t(`rotation.phase.${phase}`) },
          { label: t("rotation.by_key"), cell: listValues },
          { label: t("rotation.left"), cell: (store) => count(countRemaining(store, current_key_id)), align: "end" },
          { label: t("rotation.unreadable"), cell: ({ unreadable, values }) => count(values && unreadable), align: "end" },
          {
            label: t("rotation.counted_at"),
            cell: ({ counted_at }) => (counted_at === null ? t("rotation.not_counted") : formatDateTime(counted_at, zone)),
          },
        ]}
        items={stores}
        rowKey={({ store }) => store}
      />
      <p className={layout.muted}>{t("rotation.unreadable_text")}</p>
    </div>
  );
}
