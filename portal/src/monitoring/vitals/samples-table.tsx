// Individual values of a period, newest first, with corrections.
import { Button } from "@mantine/core";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { CURSOR_PAGINATION, DataTable } from "../../platform/design/data-table.tsx";
import { formatNumber } from "../../platform/design/format.ts";
import { Card } from "../../platform/design/page.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import { AmendDialog } from "./amend-dialog.tsx";
import { listSamples, type Observation } from "./api.ts";
import { type Chart, formatUcumUnit, getConsciousnessLetter, getDecimals } from "./chart-catalogue.ts";
import { isUsable } from "./chart-series.ts";
import { formatDateTimeSeconds } from "./format-seconds.ts";
import type { TimeWindow } from "./time-window.ts";

type SamplesTableProps = { patientId: string; chart: Chart; window: TimeWindow; zone: string | undefined };

/** Value at the catalogue's precision, or as a letter. */
export function formatSample({ name, value, unit }: Observation): string {
  const vital = name ?? "";
  const text =
    getConsciousnessLetter(vital, value) ?? formatNumber(value, Number.isInteger(value) ? 0 : Math.max(1, getDecimals(vital)));
  return `${text} ${formatUcumUnit(unit)}`.trim();
}

export function SamplesTable({ patientId, chart, window, zone }: SamplesTableProps) {
  const t = useTranslation();
  const queryClient = useQueryClient();
  const [sampleToAmend, setSampleToAmend] = useState<Observation | null>(null);
  const query = useInfiniteQuery({
    queryKey: ["vitals", patientId, "samples", chart.vitals, window],
    queryFn: ({ pageParam }) => listSamples(patientId, chart.vitals, window, pageParam),
    ...CURSOR_PAGINATION,
  });
  const hasSeveralVitals = chart.vitals.length > 1;
  return (
    <Card title={t("vitals.samples")}>
      <DataTable
        label={t("vitals.samples_of", { vital: translateCode("vital", chart.id) })}
        query={query}
        empty={t("vitals.no_data_yet")}
        rowKey={({ observation_id }) => observation_id}
        columns={[
          { label: t("vitals.time"), cell: ({ effective_at }) => formatDateTimeSeconds(effective_at, zone) },
          ...(hasSeveralVitals
            ? [{ label: t("vitals.which"), cell: ({ name, code }: Observation) => translateCode("vital", name ?? code) }]
            : []),
          {
            label: t("vitals.value"),
            align: "end",
            cell: (sample) => (isUsable(sample) ? formatSample(sample) : <del>{formatSample(sample)}</del>),
          },
          { label: t("vitals.status"), cell: ({ status }) => t(`vitals.status.${status}`) },
          {
            label: t("vitals.source"),
            cell: ({ performer_id }) => t(performer_id ? "vitals.person" : "vitals.device"),
          },
          {
            label: t("vitals.correct"),
            cell: (sample) =>
              sample.status === "entered-in-error" ? null : (
                <Button
                  variant="default"
                  size="compact-sm"
                  aria-label={t("vitals.correct_value", {
                    vital: translateCode("vital", sample.name ?? sample.code),
                    at: formatDateTimeSeconds(sample.effective_at, zone),
                  })}
                  onClick={() => setSampleToAmend(sample)}
                >
                  {t("vitals.correct")}
                </Button>
              ),
          },
        ]}
      />
      {sampleToAmend && (
        <AmendDialog
          sample={sampleToAmend}
          zone={zone}
          onClose={() => setSampleToAmend(null)}
          onDone={() => {
            setSampleToAmend(null);
            announce(t("vitals.corrected"));
            void queryClient.invalidateQueries({ queryKey: ["vitals", patientId] });
          }}
        />
      )}
    </Card>
  );
}
