// Single values of a stretch of time, newest first, and where a person corrects one.
import { Button } from "@mantine/core";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { DataTable, PAGES } from "../design/data-table.tsx";
import { Card } from "../design/page.tsx";
import { number } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { announce } from "../shell/announcer.tsx";
import { AmendDialog } from "./amend-dialog.tsx";
import { listSamples, type Observation } from "./api.ts";
import { type Chart, decimalsOf, letterOf, unitText } from "./charted.ts";
import type { Window } from "./range.ts";
import { counts } from "./series.ts";
import { seconds } from "./times.ts";

type SamplesTableProps = { patientId: string; chart: Chart; window: Window; zone: string | undefined };

/** As it is written: to the catalogue's precision, or a letter. */
export function sampleText({ name, value, unit }: Observation): string {
  const vital = name ?? "";
  const text = letterOf(vital, value) ?? number(value, Number.isInteger(value) ? 0 : Math.max(1, decimalsOf(vital)));
  return `${text} ${unitText(unit)}`.trim();
}

export function SamplesTable({ patientId, chart, window, zone }: SamplesTableProps) {
  const say = useSay();
  const queries = useQueryClient();
  const [wrong, setWrong] = useState<Observation | null>(null);
  const query = useInfiniteQuery({
    queryKey: ["vitals", patientId, "samples", chart.vitals, window],
    queryFn: ({ pageParam }) => listSamples(patientId, chart.vitals, window, pageParam),
    ...PAGES,
  });
  const several = chart.vitals.length > 1;
  return (
    <Card title={say("vitals.samples")}>
      <DataTable
        label={say("vitals.samples_of", { vital: sayOf("vital", chart.id) })}
        query={query}
        empty={say("vitals.no_data_yet")}
        keyOf={({ observation_id }) => observation_id}
        columns={[
          { label: say("vitals.time"), cell: ({ effective_at }) => seconds(effective_at, zone) },
          ...(several
            ? [{ label: say("vitals.which"), cell: ({ name, code }: Observation) => sayOf("vital", name ?? code) }]
            : []),
          {
            label: say("vitals.value"),
            align: "end",
            cell: (sample) => (counts(sample) ? sampleText(sample) : <del>{sampleText(sample)}</del>),
          },
          { label: say("vitals.status"), cell: ({ status }) => say(`vitals.status.${status}`) },
          {
            label: say("vitals.source"),
            cell: ({ performer_id }) => say(performer_id ? "vitals.person" : "vitals.device"),
          },
          {
            label: say("vitals.correct"),
            cell: (sample) =>
              sample.status === "entered-in-error" ? null : (
                <Button
                  variant="default"
                  size="compact-sm"
                  aria-label={say("vitals.correct_value", {
                    vital: sayOf("vital", sample.name ?? sample.code),
                    at: seconds(sample.effective_at, zone),
                  })}
                  onClick={() => setWrong(sample)}
                >
                  {say("vitals.correct")}
                </Button>
              ),
          },
        ]}
      />
      {wrong && (
        <AmendDialog
          sample={wrong}
          zone={zone}
          onClose={() => setWrong(null)}
          onDone={() => {
            setWrong(null);
            announce(say("vitals.corrected"));
            void queries.invalidateQueries({ queryKey: ["vitals", patientId] });
          }}
        />
      )}
    </Card>
  );
}
