// A record that another hospital shares: reports, documents and measurements, as far as the consent covers them.
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { DocumentList } from "../documents/document-list.tsx";
import { serverNow } from "../monitoring/live/server-clock.ts";
import type { ChartSearch } from "../monitoring/vitals/time-window.ts";
import { VitalsCharts } from "../monitoring/vitals/vitals-charts.tsx";
import { omitUnset } from "../monitoring/vitals/vitals-page.tsx";
import { IntakeList } from "../patients/record/intakes.tsx";
import { usePatientNumberAndZone } from "../patients/record/use-patient-record.ts";
import { formatDate } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Page } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { ReportList } from "../reports/report-list.tsx";
import type { Consent } from "./api.ts";
import { formatDates, isReportKind } from "./consent-facts.tsx";
import classes from "./consents.module.css";
import { SharedFrame } from "./shared-frame.tsx";
import type { SharedPlace } from "./shared-place.ts";
import { keepWithin } from "./shared-window.ts";

const ROUTE = "/signed-in/patients/$patientId/other-hospitals/$consentId/$recordId";
const PATH = "/patients/$patientId/other-hospitals/$consentId/$recordId";

const VIEWS = ["reports", "documents", "vitals", "history"] as const;
type View = (typeof VIEWS)[number];

function isCovered(view: View, { kinds }: Consent): boolean {
  if (view === "reports") return kinds.some(isReportKind);
  return kinds.includes(({ documents: "documents", vitals: "observations", history: "medical_history" } as const)[view]);
}

export function SharedRecordPage() {
  const t = useTranslation();
  const place = useParams({ from: ROUTE });
  const { show } = useSearch({ from: ROUTE });
  const { number } = usePatientNumberAndZone(place.patientId);
  return (
    <Page key={place.recordId} title={t("consents.others")} windowTitle={t("consents.shared_of", { n: number })}>
      <p>
        <Link to="/patients/$patientId/other-hospitals" params={place}>
          {t("consents.back_to_others")}
        </Link>
      </p>
      <SharedFrame place={place}>
        {(consent) => {
          const views = VIEWS.filter((view) => isCovered(view, consent));
          const view = views.find((one) => one === show) ?? views[0];
          return (
            <>
              <Views views={views} current={view} place={place} />
              <p className={layout.note}>
                {consent.document_request_id === null
                  ? t("consents.shared_dates", { from: formatDate(consent.data_from), until: formatDate(consent.data_until) })
                  : t("consents.dates_are", { dates: formatDates(consent, undefined, t) })}
              </p>
              {view === "reports" && <ReportList key="reports" patientId={place.recordId} shared={place} />}
              {view === "documents" && <SharedDocuments place={place} />}
              {view === "history" && <IntakeList isShared patientId={place.recordId} zone={undefined} />}
              {view === "vitals" && <SharedVitals place={place} consent={consent} />}
            </>
          );
        }}
      </SharedFrame>
    </Page>
  );
}

type ViewsProps = { views: readonly View[]; current: View | undefined; place: SharedPlace };

function Views({ views, current, place }: ViewsProps) {
  const t = useTranslation();
  return (
    <nav className={classes.views} aria-label={t("consents.views")}>
      <ul className={layout.bare}>
        {views.map((view) => (
          <li key={view}>
            <Link to={PATH} params={place} search={{ show: view }} aria-current={view === current ? "page" : undefined}>
              {t(`consents.view.${view}`)}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function SharedDocuments({ place }: { place: SharedPlace }) {
  const { type } = useSearch({ from: ROUTE });
  const navigate = useNavigate();
  return (
    <DocumentList
      place={{ patientId: place.recordId, isOwn: false, shared: place }}
      search={{ ...(type && { type }) }}
      onSearch={({ type }) =>
        void navigate({ to: PATH, params: place, search: { show: "documents", ...(type && { type }) }, replace: true })
      }
    />
  );
}

function SharedVitals({ place, consent }: { place: SharedPlace; consent: Consent }) {
  const search = useSearch({ from: ROUTE });
  const navigate = useNavigate();
  // Of the newest choice, so that the period does not move by itself.
  const [now, setNow] = useState(serverNow);
  const shared = { from: Date.parse(consent.data_from), until: Date.parse(consent.data_until) };
  const onSearch = (next: ChartSearch) => {
    setNow(serverNow());
    void navigate({ to: PATH, params: place, search: { show: "vitals", ...omitUnset(pickChart(next)) }, replace: true });
  };
  return (
    <VitalsCharts
      isPlain
      isLive={false}
      key={place.recordId}
      patientId={place.recordId}
      search={pickChart(keepWithin(search, shared, now))}
      onSearch={onSearch}
    />
  );
}

const pickChart = ({ code, range, from, to, view }: ChartSearch) => ({ code, range, from, to, view });
