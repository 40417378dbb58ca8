// A patient's start page: latest report, heart rate, oxygen saturation, devices and recent access.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMe } from "../../accounts/session/use-session.ts";
import { useWaitingCount } from "../../consents/api.ts";
import { useServerNow } from "../../monitoring/live/use-live.ts";
import { SELF_CARE_HOSPITAL_ID } from "../../organization/hospitals/api.ts";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { formatAge, formatDate, formatDateTime, formatNumber } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import type { PatientSummary } from "../api.ts";
import { AccessActor } from "./access-actor.tsx";
import { accessMessageKey, isOtherPerson, withoutEndedBegins } from "./access-log.ts";
import { listAccess, readSummary } from "./api.ts";
import classes from "./me.module.css";
import { MyPage } from "./my-page.tsx";
import { isConnected, type LatestValue, useIsCurrent, useLatestVitals } from "./use-latest-vitals.ts";

export function PatientHomePage() {
  const t = useTranslation();
  const [name = ""] = useMe().full_name.split(" ");
  return (
    <MyPage title={t("me.hello", { name })} windowTitle={t("nav.home")}>
      {(record) => (
        <>
          <WaitingRequests />
          <div className={classes.cards} key={record.patient_id}>
            <LatestReportCard record={record} />
            <VitalsCard record={record} />
            <DevicesCard record={record} />
            <LastAccessCard record={record} />
            <DetailsCard record={record} />
          </div>
          <p className={layout.muted}>{t("me.unwell")}</p>
        </>
      )}
    </MyPage>
  );
}

/** Nothing while the number is unknown: the page of consents says whether it could be read. */
function WaitingRequests() {
  const t = useTranslation();
  const { data: n = 0 } = useWaitingCount();
  if (n === 0) return null;
  return (
    <p className={classes.waiting}>
      <strong>{t("requests.me_waiting", { n })}</strong> <Link to="/me/consents">{t("requests.me_answer")}</Link>
    </p>
  );
}

type RecordProps = { record: PatientSummary };

function LatestReportCard({ record: { patient_id, hospital_id } }: RecordProps) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(hospital_id);
  const query = useQuery({ queryKey: ["me", "summary", patient_id], queryFn: () => readSummary(patient_id) });
  return (
    <Card title={t("me.newest_report")}>
      <QueryBoundary query={query}>
        {({ latest_report: report }) =>
          report ? (
            <>
              <div className={`${layout.line} ${classes.line}`}>
                <p>
                  <strong>{translateCode("report_kind", report.kind)}</strong>, {formatDate(report.effective_at, zone)}
                </p>
                <Link to="/me/reports/$reportId" params={{ reportId: report.report_id }} className={classes.go}>
                  {t("common.open")}
                </Link>
              </div>
              <p className={classes.ask}>{t("me.questions")}</p>
            </>
          ) : (
            <p>{t("me.no_report")}</p>
          )
        }
      </QueryBoundary>
    </Card>
  );
}

function VitalsCard({ record: { patient_id } }: RecordProps) {
  const t = useTranslation();
  const { query, newestOf: getLatest } = useLatestVitals(patient_id);
  return (
    <Card title={t("me.my_values")}>
      <QueryBoundary query={query}>
        {() => (
          <>
            <dl className={classes.vitals}>
              <VitalValue label={t("me.heart_rate")} unit={t("me.per_minute")} latest={getLatest("heart_rate")} />
              <VitalValue label={t("me.oxygen")} suffix=" %" latest={getLatest("spo2")} />
            </dl>
            <Link to="/me/vitals" className={classes.more}>
              {t("me.all_values")}
            </Link>
          </>
        )}
      </QueryBoundary>
    </Card>
  );
}

type ValueProps = { label: string; unit?: string; suffix?: string; latest: LatestValue | null };

function VitalValue({ label, unit, suffix = "", latest }: ValueProps) {
  const t = useTranslation();
  const now = useServerNow();
  const isCurrent = useIsCurrent();
  const isRecent = latest !== null && isCurrent(latest.at, now);
  const timeText = (at: number) => (isRecent ? t("me.now") : t("common.ago", { age: formatAge((now - at) / 1000) }));
  return (
    <div className={latest && !isRecent ? classes.old : undefined}>
      <dt>{label}</dt>
      <dd>
        <div className={classes.value}>{latest ? `${formatNumber(latest.value)}${suffix}` : "⋯"}</div>
        {latest ? timeText(latest.at) : t("me.not_measured")}
        {latest && unit && <div className={layout.muted}>{unit}</div>}
      </dd>
    </div>
  );
}

function DevicesCard({ record: { patient_id } }: RecordProps) {
  const t = useTranslation();
  const { query, devices } = useLatestVitals(patient_id);
  const now = useServerNow(5_000);
  return (
    <Card title={t("nav.devices")}>
      <QueryBoundary query={query}>
        {() => (
          <>
            <p>
              {devices.length === 0
                ? t("me.no_devices")
                : t("me.devices_connected", {
                    n: devices.filter(({ lastSeenAt }) => isConnected(lastSeenAt, now)).length,
                    total: devices.length,
                  })}
            </p>
            <Link to="/me/devices" className={classes.more}>
              {t("me.to_devices")}
            </Link>
          </>
        )}
      </QueryBoundary>
    </Card>
  );
}

/** Who has only the record that they registered themselves is led to the hospital's. */
function DetailsCard({ record: { hospital_id } }: RecordProps) {
  const t = useTranslation();
  return (
    <Card title={t("me.details")}>
      {hospital_id === SELF_CARE_HOSPITAL_ID && <p>{t("me.claim.text")}</p>}
      <Link to="/me/details" className={classes.more}>
        {t("me.to_details")}
      </Link>
    </Card>
  );
}

function LastAccessCard({ record: { patient_id, hospital_id } }: RecordProps) {
  const t = useTranslation();
  const { user_id } = useMe();
  const zone = useHospitalTimeZone(hospital_id);
  const query = useQuery({ queryKey: ["me", "visits", patient_id], queryFn: () => listAccess(patient_id, {}, null) });
  return (
    <Card title={t("me.who_saw")}>
      <QueryBoundary query={query}>
        {({ items }) => {
          const last = withoutEndedBegins(items).find((event) => isOtherPerson(event, user_id));
          return (
            <>
              <p>
                {last ? (
                  <>
                    <strong>
                      <AccessActor actor={last.actor} actorHospitalId={last.actor_hospital_id ?? last.hospital_id} />
                    </strong>
                    , {formatDateTime(last.recorded, zone)}: {t(accessMessageKey(last))}
                  </>
                ) : (
                  t("me.nobody_lately")
                )}
              </p>
              <Link to="/me/access" className={classes.more}>
                {t("me.to_access")}
              </Link>
            </>
          );
        }}
      </QueryBoundary>
    </Card>
  );
}
