// Progress of filing or discarding: how many entries are done, and what became of each.
import { Button } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { getFullName } from "../../patients/api.ts";
import { Table } from "../../platform/design/data-table.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { useOfflineGuard } from "../../platform/design/offline-guard.tsx";
import { Card } from "../../platform/design/page.tsx";
import { ActionError } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import type { Resolution } from "./api.ts";
import { formatReasons } from "./held-cells.tsx";
import type { HeldRun } from "./use-held-run.ts";

type HeldRunCardProps = { run: HeldRun; onResume: () => void; onStop: () => void; onDismiss: () => void };

export function HeldRunCard({ run, onResume, onStop, onDismiss }: HeldRunCardProps) {
  const t = useTranslation();
  const { offlineProps, offlineNotice } = useOfflineGuard();
  const { entries, patient, results, state, error } = run;
  const zone = useHospitalTimeZone(entries[0]?.hospital_id);
  const status = useRef<HTMLParagraphElement>(null);
  // The button that started it is gone.
  useEffect(() => status.current?.focus(), []);
  const receivedAt = (id: string) => entries.find(({ held_id }) => held_id === id)?.received_at;
  const title = patient ? t("held.filing_for", { name: getFullName(patient), n: patient.patient_number }) : t("held.discarding");
  return (
    <Card title={title}>
      <div className={layout.stack}>
        <p ref={status} tabIndex={-1} role="status">
          {t("held.progress", { n: results.length, total: entries.length })} {state === "stopped" && t("held.stopped")}
          {state === "done" && t("held.done")}
        </p>
        <ActionError error={error} />
        {error !== null && <p className={layout.note}>{t("held.repeat_safe")}</p>}
        {results.length > 0 && (
          <Table
            label={title}
            items={results}
            rowKey={({ held_id }) => held_id}
            columns={[
              { label: t("held.received"), cell: ({ held_id }) => formatDateTime(receivedAt(held_id) ?? Number.NaN, zone) },
              { label: t("held.result"), cell: (result) => <ResultText result={result} /> },
            ]}
          />
        )}
        {offlineNotice}
        <div className={layout.acts}>
          {state === "running" && (
            <Button variant="default" onClick={onStop}>
              {t("held.stop")}
            </Button>
          )}
          {state === "stopped" && (
            <Button onClick={onResume} {...offlineProps}>
              {t(error === null ? "held.continue" : "common.try_again")}
            </Button>
          )}
          {state !== "running" && (
            <Button variant="default" onClick={onDismiss}>
              {t("common.close")}
            </Button>
          )}
        </div>
      </div>
    </Card>
  );
}

function ResultText({ result: { status, stored, duplicate, refused, reasons } }: { result: Resolution }) {
  const t = useTranslation();
  if (status === "discarded") return t("held_state.discarded");
  if (status === "conflict") return <strong>{t("held.conflict")}</strong>;
  if (status === "held") return <strong>{t("held.none_stored", { reasons: formatReasons(reasons) })}</strong>;
  // An entry that was filed before has no counts.
  if (stored + duplicate + refused === 0) return t("held.filed_before");
  return (
    <>
      {t("held.filed_counts", { stored, duplicate })}
      {refused > 0 && <strong> {t("held.refused", { n: refused, reasons: formatReasons(reasons) })}</strong>}
    </>
  );
}
