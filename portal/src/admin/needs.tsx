// What waits for a person: how many, and the way there.
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Card } from "../design/page.tsx";
import { number } from "../design/time.ts";
import { serverNow } from "../live/server-clock.ts";
import { useSay } from "../messages/index.ts";
import { countHeld, countQuarantined, countSilentDevices, lockedAccounts, type Total } from "./api.ts";
import classes from "./overview.module.css";

const EVERY_MS = 60_000;
const asked = { staleTime: EVERY_MS, refetchInterval: EVERY_MS, refetchOnWindowFocus: false } as const;

export function Needs() {
  const say = useSay();
  const quarantined = useQuery({ queryKey: ["admin", "needs", "quarantine"], queryFn: countQuarantined, ...asked });
  const held = useQuery({ queryKey: ["admin", "needs", "held"], queryFn: countHeld, ...asked });
  const silent = useQuery({ queryKey: ["admin", "needs", "silent"], queryFn: countSilentDevices, ...asked });
  const locked = useQuery({
    queryKey: ["admin", "needs", "locked"],
    queryFn: () => lockedAccounts(serverNow()),
    ...asked,
  });
  const [account] = locked.data ?? [];
  const lockedTotal = locked.data && { n: locked.data.length, exact: true };
  return (
    <Card title={say("admin.needs_you")}>
      <ul className={classes.tiles}>
        <Need label={say("admin.quarantine")} query={quarantined}>
          {(text) => <Link to="/uploads/quarantine">{text}</Link>}
        </Need>
        <Need label={say("admin.held")} query={held}>
          {(text) => <Link to="/uploads/quarantine">{text}</Link>}
        </Need>
        <Need label={say("admin.silent")} query={silent}>
          {(text) => <Link to="/alarms">{text}</Link>}
        </Need>
        <Need label={say("admin.locked")} query={{ ...locked, data: lockedTotal }}>
          {(text) =>
            account !== undefined && locked.data?.length === 1 ? (
              <Link to="/admin/users/$userId" params={{ userId: account }}>
                {text}
              </Link>
            ) : (
              <Link to="/admin/audit" search={{ action: "login.failed" }}>
                {text}
              </Link>
            )
          }
        </Need>
      </ul>
    </Card>
  );
}

type NeedProps = {
  label: string;
  query: Pick<UseQueryResult, "error"> & { data: Total | undefined };
  children: (text: ReactNode) => ReactNode;
};

function Need({ label, query: { data, error }, children }: NeedProps) {
  const say = useSay();
  return (
    <li className={classes.tile} data-waits={(data?.n ?? 0) > 0}>
      {children(
        <>
          <span className={classes.label}>{label}</span> <Figure total={data} error={error} />{" "}
          <span aria-hidden="true" className={classes.arrow}>
            →
          </span>
          {data?.n === 0 && <span className={classes.small}>{say("admin.nothing_waits")}</span>}
        </>,
      )}
    </li>
  );
}

/** A number that is not known is not nought. */
export function Figure({ total, error }: { total: Total | undefined; error: unknown }) {
  const say = useSay();
  if (!total) {
    const words = say(error ? "admin.not_known" : "common.loading");
    return <span className={error ? classes.small : classes.wait}>{words}</span>;
  }
  return (
    <strong className={classes.number}>{total.exact ? number(total.n) : say("admin.at_least", { n: number(total.n) })}</strong>
  );
}
