// Audit log page: who did what, to whose data, when, and with which outcome; verification, checkpoint, export and retention.
import { useSearch } from "@tanstack/react-router";
import { useMe } from "../accounts/session/use-session.ts";
import { useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { endOfDayIso, isDateString, startOfDayIso } from "../platform/design/calendar-days.ts";
import { Card, Page } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { type AuditFilters, NO_HOSPITAL, OUTCOMES } from "./api.ts";
import { AuditFilterForm } from "./audit-filter-form.tsx";
import { AuditTable } from "./audit-table.tsx";
import { LogCards } from "./log-cards.tsx";

export function AuditPage() {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const isPlatformAdmin = useMe().role === "admin";
  const search = useSearch({ from: "/signed-in/admin/audit" });
  const { actor, action, outcome, patient, hospital, abroad, from, to } = search;
  const knownOutcome = OUTCOMES.find((one) => one === outcome);
  const filters: AuditFilters = {
    ...(actor && { actor_id: actor }),
    ...(action && { event: action }),
    ...(knownOutcome && { outcome: knownOutcome }),
    ...(patient && { patient_id: patient }),
    ...(isPlatformAdmin && hospital && { hospital_id: hospital }),
    ...(abroad === "yes" && { abroad: "true" as const }),
    ...(isDateString(from) && { from: startOfDayIso(from, zone) }),
    ...(isDateString(to) && { to: endOfDayIso(to, zone) }),
  };
  const filterKey = JSON.stringify(filters);
  return (
    <Page title={t("nav.audit")}>
      <Card>
        <AuditFilterForm key={`form ${JSON.stringify(search)}`} />
        <AuditTable key={`table ${filterKey}`} filters={filters} />
      </Card>
      <LogCards key={hospital} hospitalId={isPlatformAdmin && hospital !== NO_HOSPITAL ? hospital || null : null} />
    </Page>
  );
}
