// Counts of work that needs attention, with links.
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { serverNow } from "../monitoring/live/server-clock.ts";
import { formatNumber } from "../platform/design/format.ts";
import { Card } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import {
  type ApproximateCount,
  countQuarantined,
  countQuarantinedObservations,
  countSilentDevices,
  listLockedAccounts,
} from "./api.ts";
import classes from "./overview.module.css";

const REFRESH_MS = 60_000;
const QUERY_OPTIONS = { staleTime: REFRESH_MS, refetchInterval: REFRESH_MS, refetchOnWindowFocus: false } as const;

export function PendingWork() {
  const t = useTranslation();
  const quarantinedFiles = useQuery({ queryKey: ["admin", "needs", "quarantine"], queryFn: countQuarantined, ...QUERY_OPTIONS });
  const quarantinedObservations = useQuery({
    queryKey: ["admin", "needs", "held"],
    queryFn: countQuarantinedObservations,
    ...QUERY_OPTIONS,
  });
  const silentDevices = useQuery({ queryKey: ["admin", "needs", "silent"], queryFn: countSilentDevices, ...QUERY_OPTIONS });
  const lockedAccountsQuery = useQuery({
    queryKey: ["admin", "needs", "locked"],
    queryFn: () => listLockedAccounts(serverNow()),
    ...QUERY_OPTIONS,
  });
  const [onlyAccount] = lockedAccountsQuery.data ?? [];
  const lockedCount = lockedAccountsQuery.data && { n: lockedAccountsQuery.data.length, exact: true };
  return (
    <Card title={t("admin.needs_you")}>
      <ul className={classes.tiles}>
        <PendingItem label={t("admin.quarantine")} query={quarantinedFiles}>
          {(text) => <Link to="/uploads/quarantine">{text}</Link>}
        </PendingItem>
        <PendingItem label={t("admin.held")} query={quarantinedObservations}>
          {(text) => (
            <Link to="/uploads/held" search={{ state: "held" }}>
              {text}
            </Link>
          )}
        </PendingItem>
        <PendingItem label={t("admin.silent")} query={silentDevices}>
          {(text) => <Link to="/alarms">{text}</Link>}
        </PendingItem>
        <PendingItem label={t("admin.locked")} query={{ ...lockedAccountsQuery, data: lockedCount }}>
          {(text) =>
            onlyAccount !== undefined && lockedAccountsQuery.data?.length === 1 ? (
              <Link to="/admin/users/$userId" params={{ userId: onlyAccount }}>
                {text}
              </Link>
            ) : (
              <Link to="/admin/audit" search={{ action: "login.failed" }}>
                {text}
              </Link>
            )
          }
        </PendingItem>
      </ul>
    </Card>
  );
}

type PendingItemProps = {
  label: string;
  query: Pick<UseQueryResult, "error"> & { data: ApproximateCount | undefined };
  children: (text: ReactNode) => ReactNode;
};

function PendingItem({ label, query: { data, error }, children }: PendingItemProps) {
  const t = useTranslation();
  return (
    <li className={classes.tile} data-waits={(data?.n ?? 0) > 0}>
      {children(
        <>
          <span className={classes.label}>{label}</span> <CountFigure total={data} error={error} />{" "}
          <span aria-hidden="true" className={classes.arrow}>
            →
          </span>
          {data?.n === 0 && <span className={classes.small}>{t("admin.nothing_waits")}</span>}
        </>,
      )}
    </li>
  );
}

/** An unknown count must not be shown as 0. */
export function CountFigure({ total, error }: { total: ApproximateCount | undefined; error: unknown }) {
  const t = useTranslation();
  if (!total) {
    const placeholder = t(error ? "admin.not_known" : "common.loading");
    return <span className={error ? classes.small : classes.wait}>{placeholder}</span>;
  }
  return (
    <strong className={classes.number}>
      {total.exact ? formatNumber(total.n) : t("admin.at_least", { n: formatNumber(total.n) })}
    </strong>
  );
}
