// The frame of a patient's pages: who it is, always in sight; the open alarms; the way to each page.
import { Link, Outlet, useLocation, useParams } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Page } from "../design/page.tsx";
import { Failed, Loading } from "../design/states.tsx";
import { age, date } from "../design/time.ts";
import { shownUpdate } from "../live/known.ts";
import { useLink, useLivePatient, useServerNow } from "../live/use-live.ts";
import { useSay } from "../messages/index.ts";
import { ageInWords } from "./age.ts";
import { nameOf, type Patient } from "./api.ts";
import { PatientAlarms } from "./patient-alarms.tsx";
import classes from "./patient-frame.module.css";
import { usePatientRecord, useWardName } from "./shown-patient.ts";

export function PatientFrame() {
  const say = useSay();
  const { patientId } = useParams({ from: "/house/patients/$patientId" });
  const record = usePatientRecord(patientId);
  // Somebody else's page must never stand under a name that is not theirs: nothing is shown before the record is.
  if (!record.data) {
    if (!record.error) return <Loading />;
    return (
      <Page title={say("record.patient")}>
        <Failed error={record.error} retry={() => void record.refetch()} />
      </Page>
    );
  }
  const patient = record.data.data;
  return (
    <div className={classes.frame} key={patient.patient_id}>
      <Identity patient={patient} />
      <PatientAlarms patientId={patient.patient_id} />
      <Tabs patientId={patientId} />
      <Outlet />
      <p className={classes.support}>{say("common.decision_support")}</p>
    </div>
  );
}

function Identity({ patient }: { patient: Patient }) {
  const say = useSay();
  const now = useServerNow(60_000);
  const top = useHeaderHeight();
  const ward = useWardName(patient.ward_id, patient.hospital_id);
  const { date_of_birth: born } = patient;
  const facts = [
    [say(`record.sex.${patient.gender}`), born ? ageInWords(born, now) : null].filter((fact) => fact !== null).join(" "),
    born && say("record.born", { date: date(`${born}T00:00:00Z`, "UTC") }),
    say("common.number", { n: patient.patient_number }),
    ward,
  ].filter((fact) => fact);
  return (
    <section className={classes.identity} aria-label={say("record.patient")} style={{ top }}>
      <strong className={classes.name}>{nameOf(patient)}</strong>
      <span className={classes.facts}>{facts.join(" · ")}</span>
      {!patient.is_active && <span className={classes.inactive}>{say("record.inactive")}</span>}
      <LivePill patient={patient} />
    </section>
  );
}

/** The identity sticks below the header, which is two lines high on a phone. */
function useHeaderHeight(): number {
  const [height, setHeight] = useState(0);
  useEffect(() => {
    const header = document.querySelector("header");
    if (!header) return;
    const observer = new ResizeObserver(() => setHeight(header.offsetHeight));
    observer.observe(header);
    return () => observer.disconnect();
  }, []);
  return height;
}

function LivePill({ patient }: { patient: Patient }) {
  const say = useSay();
  const link = useLink();
  const live = useLivePatient(patient.patient_id);
  const now = useServerNow();
  if (patient.monitoring === "off") return <Pill state="off">{say("record.not_monitored")}</Pill>;
  if (link.status !== "live" || !live) return <Pill state="lost">{say("shell.lost_short")}</Pill>;
  const { freshness, ageS } = shownUpdate(live, { now, link: link.status });
  if (ageS === null) return <Pill state="off">{say("record.nothing_yet")}</Pill>;
  if (freshness === "stale") return <Pill state="lost">{say("record.no_data_for", { age: age(ageS) })}</Pill>;
  return <Pill state="live">{say("shell.live")}</Pill>;
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
  ["/patients/$patientId/devices", "record.tab.devices"],
  ["/patients/$patientId/history", "record.tab.history"],
  ["/patients/$patientId/timeline", "record.tab.timeline"],
] as const;

function Tabs({ patientId }: { patientId: string }) {
  const say = useSay();
  const strip = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // On a phone the strip scrolls by itself; the page that is open must be seen in it.
  useEffect(() => {
    const open = strip.current?.querySelector<HTMLElement>('[data-status="active"]');
    if (pathname && open && strip.current) strip.current.scrollLeft = open.offsetLeft - strip.current.clientWidth / 3;
  }, [pathname]);
  return (
    <nav ref={strip} className={classes.tabs} aria-label={say("record.tabs")}>
      <ul>
        {TABS.map(([to, label]) => (
          <li key={to}>
            <Link to={to} params={{ patientId }} activeOptions={{ exact: true, includeSearch: false }}>
              {say(label)}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
