// A patient's first page: the newest report, heart rate and oxygen with their ages, devices, and who looked.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import layout from "../design/layout.module.css";
import { Card } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { age, date, dateTime, number } from "../design/time.ts";
import { useServerNow } from "../live/use-live.ts";
import { sayOf, useSay } from "../messages/index.ts";
import type { PatientSummary } from "../patients/api.ts";
import { useZone } from "../reports/api.ts";
import { useMe } from "../session/use-session.ts";
import { isVisitor, wordsOf } from "./access.ts";
import { listAccess, readSummary } from "./api.ts";
import classes from "./me.module.css";
import { isConnected, type Newest, useIsNow, useNewest } from "./newest.ts";
import { MyPage } from "./record.tsx";
import { Visitor } from "./visitor.tsx";

export function HomePage() {
  const say = useSay();
  const [name = ""] = useMe().full_name.split(" ");
  return (
    <MyPage title={say("me.hello", { name })} windowTitle={say("nav.home")}>
      {(record) => (
        <>
          <div className={classes.cards} key={record.patient_id}>
            <NewestReport record={record} />
            <Vitals record={record} />
            <Devices record={record} />
            <LastVisit record={record} />
          </div>
          <p className={layout.muted}>{say("me.unwell")}</p>
        </>
      )}
    </MyPage>
  );
}

type Of = { record: PatientSummary };

function NewestReport({ record: { patient_id, hospital_id } }: Of) {
  const say = useSay();
  const zone = useZone(hospital_id);
  const query = useQuery({ queryKey: ["me", "summary", patient_id], queryFn: () => readSummary(patient_id) });
  return (
    <Card title={say("me.newest_report")}>
      <Query query={query}>
        {({ latest_report: report }) =>
          report ? (
            <>
              <div className={`${layout.line} ${classes.line}`}>
                <p>
                  <strong>{sayOf("report_kind", report.kind)}</strong>, {date(report.effective_at, zone)}
                </p>
                <Link to="/me/reports/$reportId" params={{ reportId: report.report_id }} className={classes.go}>
                  {say("common.open")}
                </Link>
              </div>
              <p className={classes.ask}>{say("me.questions")}</p>
            </>
          ) : (
            <p>{say("me.no_report")}</p>
          )
        }
      </Query>
    </Card>
  );
}

function Vitals({ record: { patient_id } }: Of) {
  const say = useSay();
  const { query, newestOf } = useNewest(patient_id);
  return (
    <Card title={say("me.my_values")}>
      <Query query={query}>
        {() => (
          <>
            <dl className={classes.vitals}>
              <Value label={say("me.heart_rate")} unit={say("me.per_minute")} newest={newestOf("heart_rate")} />
              <Value label={say("me.oxygen")} suffix=" %" newest={newestOf("spo2")} />
            </dl>
            <Link to="/me/vitals" className={classes.more}>
              {say("me.all_values")}
            </Link>
          </>
        )}
      </Query>
    </Card>
  );
}

type ValueProps = { label: string; unit?: string; suffix?: string; newest: Newest | null };

function Value({ label, unit, suffix = "", newest }: ValueProps) {
  const say = useSay();
  const now = useServerNow();
  const isNow = useIsNow();
  const fresh = newest !== null && isNow(newest.at, now);
  const when = (at: number) => (fresh ? say("me.now") : say("common.ago", { age: age((now - at) / 1000) }));
  return (
    <div className={newest && !fresh ? classes.old : undefined}>
      <dt>{label}</dt>
      <dd>
        <div className={classes.value}>{newest ? `${number(newest.value)}${suffix}` : "⋯"}</div>
        {newest ? when(newest.at) : say("me.not_measured")}
        {newest && unit && <div className={layout.muted}>{unit}</div>}
      </dd>
    </div>
  );
}

function Devices({ record: { patient_id } }: Of) {
  const say = useSay();
  const { query, devices } = useNewest(patient_id);
  const now = useServerNow(5_000);
  return (
    <Card title={say("nav.devices")}>
      <Query query={query}>
        {() => (
          <>
            <p>
              {devices.length === 0
                ? say("me.no_devices")
                : say("me.devices_connected", {
                    n: devices.filter(({ seenAt }) => isConnected(seenAt, now)).length,
                    total: devices.length,
                  })}
            </p>
            <Link to="/me/devices" className={classes.more}>
              {say("me.to_devices")}
            </Link>
          </>
        )}
      </Query>
    </Card>
  );
}

function LastVisit({ record: { patient_id, hospital_id } }: Of) {
  const say = useSay();
  const { user_id } = useMe();
  const zone = useZone(hospital_id);
  const query = useQuery({ queryKey: ["me", "visits", patient_id], queryFn: () => listAccess(patient_id, {}, null) });
  return (
    <Card title={say("me.who_saw")}>
      <Query query={query}>
        {({ items }) => {
          const last = items.find((event) => isVisitor(event, user_id));
          return (
            <>
              <p>
                {last ? (
                  <>
                    <strong>
                      <Visitor event={last} />
                    </strong>
                    , {dateTime(last.recorded, zone)}: {say(wordsOf(last))}
                  </>
                ) : (
                  say("me.nobody_lately")
                )}
              </p>
              <Link to="/me/access" className={classes.more}>
                {say("me.to_access")}
              </Link>
            </>
          );
        }}
      </Query>
    </Card>
  );
}
