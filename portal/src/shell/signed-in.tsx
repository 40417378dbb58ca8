// The house around every page of somebody who is signed in: header, navigation, the line's state, and the page.
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect } from "react";
import { NoAccess } from "../design/states.tsx";
import { clock } from "../design/time.ts";
import { watch } from "../live/link.ts";
import { lookAt } from "../live/store.ts";
import { useLink } from "../live/use-live.ts";
import { useChosenRecord } from "../me/chosen-record.ts";
import { type PlainKey, useSay } from "../messages/index.ts";
import { useMe, useSession } from "../session/use-session.ts";
import { Announcer } from "./announcer.tsx";
import { Expired } from "./expired.tsx";
import { Header } from "./header.tsx";
import { isFor, placesOf, TABS } from "./navigation.ts";
import classes from "./shell.module.css";

export function SignedIn() {
  const say = useSay();
  const { role, hospital } = useMe();
  const expired = useSession().status === "expired";
  const { pathname } = useLocation();
  const opened = /^\/patients\/([0-9a-f-]{36})/.exec(pathname)?.[1] ?? null;
  const record = useChosenRecord();
  const patient = role === "patient" ? record : opened;
  // Patients watch a record of theirs. Administrators of the platform have no hospital to watch: they see whom they opened.
  const watchesOne = role === "patient" || (role === "admin" && !hospital);
  useEffect(() => {
    if (expired) watch(null);
    else if (watchesOne) watch(patient ? { patient_id: patient } : null);
    else watch({});
  }, [expired, watchesOne, patient]);
  useEffect(() => lookAt(patient), [patient]);
  useEffect(() => () => watch(null), []);
  return (
    <>
      <a href="#content" className={classes.skip}>
        {say("shell.skip")}
      </a>
      <Announcer />
      <Header />
      <Line />
      <div className={classes.body}>
        <Navigation path={pathname} />
        <main id="content" className={classes.main} tabIndex={-1}>
          {expired ? null : isFor(role, pathname) ? <Outlet /> : <NoAccess />}
        </main>
      </div>
      {expired && <Expired />}
    </>
  );
}

function Navigation({ path }: { path: string }) {
  const say = useSay();
  const { role } = useMe();
  const places = placesOf(role);
  const here = places
    .filter(({ to }) => path === to || path.startsWith(`${to}/`))
    .sort((a, b) => b.to.length - a.to.length)[0]?.to;
  const link = ({ to, label }: { to: string; label: PlainKey }, className?: string) => (
    <li key={to} className={className}>
      <Link to={to} activeOptions={{ exact: true }} aria-current={here === to ? "page" : undefined}>
        {say(label)}
      </Link>
    </li>
  );
  const account = { to: "/account", label: "nav.account" as const };
  return (
    <nav className={classes.nav} aria-label={say("nav.label")}>
      <ul>
        {places.slice(0, TABS).map((place) => link(place))}
        {places.length > TABS && (
          <li>
            <details className={classes.more} key={path}>
              <summary>{say("common.more")}</summary>
              <ul>{[...places.slice(TABS), account].map((place) => link(place))}</ul>
            </details>
          </li>
        )}
        {places.length <= TABS && link(account, classes.onPhone)}
      </ul>
    </nav>
  );
}

/** A lost line is a bar over every page: numbers below it are not of now. */
function Line() {
  const say = useSay();
  const link = useLink();
  if (link.status === "lost") {
    return (
      <div className={classes.lost} role="alert">
        {say("shell.lost", { time: clock(link.since) })}
      </div>
    );
  }
  if (link.status === "stopped") {
    return (
      <div className={classes.lost} role="alert">
        {say("shell.stopped")}
      </div>
    );
  }
  return null;
}
