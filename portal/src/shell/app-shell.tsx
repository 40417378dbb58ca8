// Layout of every signed-in page: header, navigation, connection state and the page.
import { Link, Navigate, Outlet, useLocation } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useSyncExternalStore } from "react";
import { SecondStepNeeded, SecondStepReminder } from "../accounts/factors/second-step-demand.tsx";
import { SECURITY_PATH, type SecondStepDemand, useSecondStepDemand } from "../accounts/factors/second-step-due.ts";
import { useMe, useSession } from "../accounts/session/use-session.ts";
import { watchPatients } from "../monitoring/live/connection.ts";
import { setFocusedPatient } from "../monitoring/live/patient-store.ts";
import { serverNow } from "../monitoring/live/server-clock.ts";
import { useConnection } from "../monitoring/live/use-live.ts";
import { useOutboxOfUser } from "../monitoring/observation-set/use-outbox.ts";
import { useChosenRecord } from "../patients/own-record/chosen-record.ts";
import { getStepUp, subscribeStepUp } from "../platform/api/step-up.ts";
import { formatTime } from "../platform/design/format.ts";
import { OldDataBanner } from "../platform/design/old-data.tsx";
import { NoAccess } from "../platform/design/query-states.tsx";
import { useScreenZone } from "../platform/design/screen-zone.ts";
import { type PlainMessageKey, useTranslation } from "../platform/messages/translate.ts";
import { Announcer } from "./announcer.tsx";
import { Header, HeldHeader } from "./header.tsx";
import { isPathAllowed, MAX_TABS, navigationItems } from "./navigation.ts";
import { SessionExpiredDialog } from "./session-expired-dialog.tsx";
import classes from "./shell.module.css";
import { SignOutDialog } from "./sign-out-dialog.tsx";

export function AppShell() {
  const t = useTranslation();
  const { role, hospital } = useMe();
  const isExpired = useSession().status === "expired";
  const { pathname } = useLocation();
  const openedPatientId = /^\/patients\/([0-9a-f-]{36})/.exec(pathname)?.[1] ?? null;
  const chosenRecordId = useChosenRecord();
  const watchedPatientId = role === "patient" ? chosenRecordId : openedPatientId;
  // Patients watch one of their records. Platform administrators have no hospital: they watch the patient they opened.
  const watchesOnePatient = role === "patient" || (role === "admin" && !hospital);
  const demand = useSecondStepDemand();
  const isHeld = demand.kind === "enrol" || demand.kind === "use";
  const isIdle = isExpired || isHeld;
  useEffect(() => {
    if (isIdle) watchPatients(null);
    else if (watchesOnePatient) watchPatients(watchedPatientId ? { patient_id: watchedPatientId } : null);
    else watchPatients({});
  }, [isIdle, watchesOnePatient, watchedPatientId]);
  useOutboxOfUser();
  useEffect(() => setFocusedPatient(watchedPatientId), [watchedPatientId]);
  useEffect(() => () => watchPatients(null), []);
  return (
    <>
      <a href="#content" className={classes.skip}>
        {t("shell.skip")}
      </a>
      <Announcer />
      {isHeld ? <HeldHeader /> : <Header />}
      {demand.kind === "announced" && pathname !== SECURITY_PATH && <SecondStepReminder from={demand.from} />}
      <ConnectionBanner />
      <OldDataBanner now={serverNow()} />
      <div className={classes.body}>
        {!isHeld && <Navigation path={pathname} />}
        <main id="content" className={classes.main} tabIndex={-1}>
          {!isExpired && <PageOf path={pathname} demand={demand.kind} />}
        </main>
      </div>
      <SignOutDialog />
      {isExpired ? <SessionExpiredDialog /> : <StepUp />}
    </>
  );
}

/** Loaded when it is needed: the forms of factors are no part of the first page. */
const StepUpDialog = lazy(() =>
  import("../accounts/factors/step-up-dialog.tsx").then((module) => ({ default: module.StepUpDialog })),
);

function StepUp() {
  const required = useSyncExternalStore(subscribeStepUp, getStepUp);
  return (
    required && (
      <Suspense>
        <StepUpDialog required={required} />
      </Suspense>
    )
  );
}

/** Who needs a second step comes to no other page than the one that leads to it. */
function PageOf({ path, demand }: { path: string; demand: SecondStepDemand["kind"] }) {
  const { role } = useMe();
  if (demand === "use") return <SecondStepNeeded />;
  if (demand === "enrol" && path !== SECURITY_PATH) return <Navigate to={SECURITY_PATH} replace />;
  return isPathAllowed(role, path) ? <Outlet /> : <NoAccess />;
}

function Navigation({ path }: { path: string }) {
  const t = useTranslation();
  const { role, is_privacy_officer } = useMe();
  const items = navigationItems(role, is_privacy_officer);
  const currentPath = items
    .filter(({ to }) => path === to || path.startsWith(`${to}/`))
    .sort((a, b) => b.to.length - a.to.length)[0]?.to;
  const renderLink = ({ to, label }: { to: string; label: PlainMessageKey }, className?: string) => (
    <li key={to} className={className}>
      <Link to={to} activeOptions={{ exact: true }} aria-current={currentPath === to ? "page" : undefined}>
        {t(label)}
      </Link>
    </li>
  );
  const account = { to: "/account", label: "nav.account" as const };
  return (
    <nav className={classes.nav} aria-label={t("nav.label")}>
      <ul>
        {items.slice(0, MAX_TABS).map((item) => renderLink(item))}
        {items.length > MAX_TABS && (
          <li>
            <details className={classes.more} key={path}>
              <summary>{t("common.more")}</summary>
              <ul>{[...items.slice(MAX_TABS), account].map((item) => renderLink(item))}</ul>
            </details>
          </li>
        )}
        {items.length <= MAX_TABS && renderLink(account, classes.onPhone)}
      </ul>
    </nav>
  );
}

/** A lost connection is a banner on every page: the values below it are not current. */
function ConnectionBanner() {
  const t = useTranslation();
  const connection = useConnection();
  const zone = useScreenZone();
  if (connection.status === "lost") {
    return (
      <div className={classes.lost} role="alert">
        {t("shell.lost", { time: formatTime(connection.since, zone) })}
      </div>
    );
  }
  if (connection.status === "stopped") {
    return (
      <div className={classes.lost} role="alert">
        {t("shell.stopped")}
      </div>
    );
  }
  return null;
}
