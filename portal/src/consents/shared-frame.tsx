// Frame of everything that another hospital shares: whose it is, that it is read only, and until when. Ended, it shows nothing else.
import type { ReactNode } from "react";
import { formatDateTime } from "../platform/design/format.ts";
import { NoAccess, QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { type Consent, type SharedRecord, useRunningConsent } from "./api.ts";
import classes from "./consents.module.css";
import type { SharedPlace } from "./shared-place.ts";

type SharedFrameProps = { place: SharedPlace; children: (consent: Consent, record: SharedRecord) => ReactNode };

export function SharedFrame({ place: { patientId, consentId, recordId }, children }: SharedFrameProps) {
  const t = useTranslation();
  const query = useRunningConsent(consentId);
  return (
    <QueryBoundary query={query}>
      {(consent) => {
        if (consent.patient_id !== patientId) return <NoAccess />;
        if (consent.status !== "granted") {
          return (
            <p className={classes.over} role="alert">
              {t("consents.is_over")}
            </p>
          );
        }
        const record = consent.shared.find(({ patient_id }) => patient_id === recordId);
        return record ? <Frame consent={consent} record={record} render={children} /> : <NoAccess />;
      }}
    </QueryBoundary>
  );
}

type FrameProps = { consent: Consent; record: SharedRecord; render: SharedFrameProps["children"] };

function Frame({ consent, record, render }: FrameProps) {
  const t = useTranslation();
  const hospital = record.hospital_name;
  const title = t("consents.foreign", { hospital, until: formatDateTime(consent.expires_at) });
  return (
    <section className={classes.frame} aria-label={title}>
      <div className={classes.foreign}>
        <p>
          <strong>{title}</strong>
        </p>
        <p>{t("consents.foreign_text", { hospital })}</p>
      </div>
      {render(consent, record)}
    </section>
  );
}
