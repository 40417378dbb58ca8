// Layout of a patient's pages: sticky identity, open alarms and tabs.
import { Link, Outlet, useLocation, useParams } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { CheckedOutlet } from "../../emergency/checked-outlet.tsx";
import { EmergencyBanner } from "../../emergency/emergency-banner.tsx";
import { EmergencyGate, type OnOver } from "../../emergency/emergency-gate.tsx";
import { EmergencyOffer } from "../../emergency/emergency-offer.tsx";
import { getLastUpdate } from "../../monitoring/live/patient-state.ts";
import { useConnection, useLivePatient, useServerNow } from "../../monitoring/live/use-live.ts";
import { PatientWaitingSets } from "../../monitoring/observation-set/waiting-sets.tsx";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { toProblem } from "../../platform/api/problem.ts";
import { formatAge } from "../../platform/design/format.ts";
import { Page } from "../../platform/design/page.tsx";
import { LoadError, Loading } from "../../platform/design/query-states.tsx";
import { usePageZone } from "../../platform/design/screen-zone.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import { getFullName, type Patient } from "../api.ts";
import { formatBirthDate, formatPatientAge } from "../patient-age.ts";
import { PatientAlarms } from "./patient-alarms.tsx";
import classes from "./patient-frame.module.css";
import { usePatientRecord } from "./use-patient-record.ts";

export function PatientLayout() {
  const { patientId } = useParams({ from: "/signed-in/patients/$patientId" });
  return (
    <EmergencyGate key={patientId}>{(onOver) => <PatientFrame patientId={patientId} onEmergencyOver={onOver} />}</EmergencyGate>
  );
}

type PatientFrameProps = { patientId: string; onEmergencyOver: OnOver };

function PatientFrame({ patientId, onEmergencyOver }: PatientFrameProps) {
  const t = useTranslation();
  const record = usePatientRecord(patientId);
  const zone = useHospitalTimeZone(record.data?.data.hospital_id);
  usePageZone(zone);
  const isClosed = record.error !== null && [403, 404].includes(toProblem(record.error).status);
  const wasOpenedBy = record.data?.data.emergency_access_id ?? null;
  // An access that ended before its time, or that a hospital no longer allows.
  useEffect(() => {
    if (isClosed && wasOpenedBy !== null) onEmergencyOver(null);
  }, [isClosed, wasOpenedBy, onEmergencyOver]);
  // Nothing renders before the record is loaded: content must never appear under another patient's name. Nor once it is closed.
  if (!record.data || isClosed) {
    if (!record.error) return <Loading />;
    return (
      <Page title={t("record.patient")}>
        <LoadError error={record.error} retry={() => void record.refetch()} />
        {isClosed && <EmergencyOffer patient={patientId} onOpened={() => void record.refetch()} />}
      </Page>
    );
  }
  const patient = record.data.data;
  const isEmergency = patient.emergency_access_id !== null;
  return (
    <div className={classes.frame} key={patient.patient_id}>
      <Identity patient={patient}>
        {patient.emergency_access_id && (
          <EmergencyBanner
            accessId={patient.emergency_access_id}
            onOver={onEmergencyOver}
            onRefused={() => void record.refetch()}
          />
        )}
      </Identity>
      <PatientAlarms patientId={patient.patient_id} />
      <PatientWaitingSets patientId={patient.patient_id} />
      <Tabs patientId={patientId} isEmergency={isEmergency} />
      {isEmergency ? <CheckedOutlet patientId={patientId} /> : <Outlet />}
      <p className={classes.support}>{t("common.decision_support")}</p>
    </div>
  );
}

function Identity({ patient, children }: { patient: Patient; children: ReactNode }) {
  const t = useTranslation();
  const now = useServerNow(60_000);
  const { identity, stickyTop } = useStickyTop();
  const { date_of_birth: dateOfBirth } = patient;
  const facts = [
    [t(`record.sex.${patient.gender}`), dateOfBirth ? formatPatientAge(dateOfBirth, now) : null]
      .filter((fact) => fact !== null)
      .join(" "),
    dateOfBirth && t("record.born", { date: formatBirthDate(dateOfBirth) }),
    t("common.number", { n: patient.patient_number }),
    patient.ward_name,
  ].filter((fact) => fact);
  return (
    <section ref={identity} className={classes.identity} aria-label={t("record.patient")} style={{ insetBlockStart: stickyTop }}>
      <strong className={classes.name}>{getFullName(patient)}</strong>
      <span className={classes.facts}>{facts.join(" · ")}</span>
      {!patient.is_active && <span className={classes.inactive}>{t("record.inactive")}</span>}
      <LivePill patient={patient} />
      {children}
    </section>
  );
}

/**
 * The identity sticks below the header, which has two lines on a phone. Both grow with long names: what takes the focus is scrolled
 * to below them (tokens.css).
 */
function useStickyTop() {
  const identity = useRef<HTMLElement>(null);
  const [stickyTop, setStickyTop] = useState(0);
  useEffect(() => {
    const header = document.querySelector("header");
    const root = document.documentElement;
    const section = identity.current;
    if (!header || !section) return;
    const observer = new ResizeObserver(() => {
      setStickyTop(header.offsetHeight);
      root.style.setProperty("--sticky-height", `${header.offsetHeight + section.offsetHeight}px`);
    });
    observer.observe(header);
    observer.observe(section);
    return () => {
      observer.disconnect();
      root.style.removeProperty("--sticky-height");
    };
  }, []);
  return { identity, stickyTop };
}

function LivePill({ patient }: { patient: Patient }) {
  const t = useTranslation();
  const link = useConnection();
  const live = useLivePatient(patient.patient_id);
  const now = useServerNow();
  if (patient.monitoring === "off") return <Pill state="off">{t("record.not_monitored")}</Pill>;
  if (link.status !== "live" || !live) return <Pill state="lost">{t("shell.lost_short")}</Pill>;
  const { freshness, ageS } = getLastUpdate(live, { now, connection: link.status });
  if (ageS === null) return <Pill state="off">{t("record.nothing_yet")}</Pill>;
  if (freshness === "stale") return <Pill state="lost">{t("record.no_data_for", { age: formatAge(ageS) })}</Pill>;
  return <Pill state="live">{t("shell.live")}</Pill>;
}

function Pill({ state, children }: { state: "live" | "lost" | "off"; children: string }) {
  return (
    <span className={classes.pill} data-state={state}>
      <span aria-hidden="true">{state === "live" ? "●" : "○"}</span> {children}
    </span>
  );
}

const TABS = [
  ["/patients/$patientId", "record.tab.overview"],
  ["/patients/$patientId/vitals", "record.tab.vitals"],
  ["/patients/$patientId/alarms", "record.tab.alarms"],
  ["/patients/$patientId/limits", "record.tab.limits"],
  ["/patients/$patientId/reports", "record.tab.reports"],
  ["/patients/$patientId/appointments", "record.tab.appointments"],
  ["/patients/$patientId/documents", "record.tab.documents"],
  ["/patients/$patientId/other-hospitals", "record.tab.others"],
  ["/patients/$patientId/devices", "record.tab.devices"],
  ["/patients/$patientId/history", "record.tab.history"],
  ["/patients/$patientId/timeline", "record.tab.timeline"],
  ["/patients/$patientId/about", "record.tab.about"],
] as const;

/** What no emergency access opens. */
const TABS_OF_ROLE: readonly string[] = [
  "record.tab.appointments",
  "record.tab.others",
  "record.tab.devices",
  "record.tab.timeline",
];

function Tabs({ patientId, isEmergency }: { patientId: string; isEmergency: boolean }) {
  const t = useTranslation();
  const tabStrip = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // On a phone the tab strip scrolls; the active tab is scrolled into view.
  useEffect(() => {
    const activeTab = tabStrip.current?.querySelector<HTMLElement>('[data-status="active"]');
    if (pathname && activeTab && tabStrip.current)
      tabStrip.current.scrollLeft = activeTab.offsetLeft - tabStrip.current.clientWidth / 3;
  }, [pathname]);
  return (
    <nav ref={tabStrip} className={classes.tabs} aria-label={t("record.tabs")}>
      <ul>
        {TABS.filter(([, label]) => !isEmergency || !TABS_OF_ROLE.includes(label)).map(([to, label]) => (
          <li key={to}>
            <Link to={to} params={{ patientId }} activeOptions={{ exact: to === TABS[0][0], includeSearch: false }}>
              {t(label)}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
