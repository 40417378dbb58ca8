// Vital signs of a patient over time, for staff.
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { usePatientNumberAndZone } from "../../patients/record/use-patient-record.ts";
import { Page } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { EnterObservations } from "../observation-set/enter-observations.tsx";
import { RoundsBar } from "../rounds/rounds-bar.tsx";
import { VitalsCharts } from "./vitals-charts.tsx";

export function VitalsPage() {
  const t = useTranslation();
  const { patientId } = useParams({ from: "/signed-in/patients/$patientId/vitals" });
  const search = useSearch({ from: "/signed-in/patients/$patientId/vitals" });
  const navigate = useNavigate();
  const { number, zone } = usePatientNumberAndZone(patientId);
  return (
    <Page
      title={t("vitals.title")}
      windowTitle={t("vitals.window_title", { n: number })}
      actions={<EnterObservations patientId={patientId} />}
    >
      <RoundsBar patientId={patientId} zone={zone} />
      <VitalsCharts
        key={patientId}
        patientId={patientId}
        zone={zone}
        search={search}
        onSearch={({ code, range, from, to, view }) =>
          void navigate({
            to: "/patients/$patientId/vitals",
            params: { patientId },
            search: omitUnset({ code, range, from, to, view }),
            replace: true,
          })
        }
      />
    </Page>
  );
}

/** Omits unset parameters. */
export function omitUnset(search: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(search).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}
