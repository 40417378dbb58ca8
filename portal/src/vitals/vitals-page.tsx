// A patient's vital signs over time, for staff.
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Page } from "../design/page.tsx";
import { useSay } from "../messages/index.ts";
import { usePatientShown } from "../patients/shown-patient.ts";
import { VitalsCharts } from "./vitals-charts.tsx";

export function VitalsPage() {
  const say = useSay();
  const { patientId } = useParams({ from: "/house/patients/$patientId/vitals" });
  const search = useSearch({ from: "/house/patients/$patientId/vitals" });
  const navigate = useNavigate();
  const { number, zone } = usePatientShown(patientId);
  return (
    <Page title={say("vitals.title")} windowTitle={say("vitals.window_title", { n: number })}>
      <VitalsCharts
        key={patientId}
        patientId={patientId}
        zone={zone}
        search={search}
        onSearch={({ code, range, from, to, view }) =>
          void navigate({
            to: "/patients/$patientId/vitals",
            params: { patientId },
            search: given({ code, range, from, to, view }),
            replace: true,
          })
        }
      />
    </Page>
  );
}

/** Without what is not set. */
export function given(words: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(words).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}
