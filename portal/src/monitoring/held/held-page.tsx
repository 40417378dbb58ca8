// Samples that were held aside because nobody knows whose they are, or what they mean: filed for a patient or discarded.
import { Button, Checkbox, NativeSelect } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { HELD_STATES } from "../../../../src/platform/db/vocabulary.ts";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { type Column, DataTable } from "../../platform/design/data-table.tsx";
import { formatDateTime, formatNumber } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Page } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { SenderName } from "../../reports/sender-name.tsx";
import classes from "../../reports/upload/uploads.module.css";
import { type HeldEntry, isHeldState, useHeld } from "./api.ts";
import { AssignedCell, formatReasons, MeasuredCell, ReceivedCell, StateCell } from "./held-cells.tsx";
import { HeldRunCard } from "./held-run-card.tsx";
import { HeldSamplesDialog } from "./held-samples-dialog.tsx";
import { HeldSelectionBar } from "./held-selection-bar.tsx";
import { DiscardDialog, FileDialog } from "./resolve-dialogs.tsx";
import { type HeldJob, useHeldRun } from "./use-held-run.ts";

type OpenDialog = { kind: "file" | "discard" } | { kind: "samples"; entry: HeldEntry } | null;

export function HeldPage() {
  const t = useTranslation();
  const { state: stateParam, device } = useSearch({ from: "/signed-in/uploads/held" });
  const navigate = useNavigate({ from: "/uploads/held" });
  const state = isHeldState(stateParam) ? stateParam : undefined;
  const query = useHeld({ ...(state && { state }), ...(device && { device_id: device }) });
  const [chosen, setChosen] = useState<readonly HeldEntry[]>([]);
  const [dialog, setDialog] = useState<OpenDialog>(null);
  const { run, start, resume, stop, dismiss } = useHeldRun();
  const selection = useRef<HTMLDivElement>(null);
  const closeDialog = () => setDialog(null);
  const closeRun = () => {
    dismiss();
    // The button that had the focus goes with the run.
    selection.current?.focus();
  };
  const updateSearch = (search: { state?: string; device?: string }) => {
    setChosen([]);
    void navigate({ search, replace: true });
  };
  const startJob = (job: HeldJob) => {
    setChosen([]);
    start(job);
  };
  const toggle = (entry: HeldEntry) => {
    const others = chosen.filter(({ held_id }) => held_id !== entry.held_id);
    setChosen(others.length < chosen.length ? others : [...chosen, entry]);
  };
  const columns: Column<HeldEntry>[] = [
    {
      label: t("held.choose"),
      cell: (entry) => (
        <ChoiceBox
          entry={entry}
          isChosen={chosen.some(({ held_id }) => held_id === entry.held_id)}
          isDisabled={run !== null || (chosen[0] !== undefined && chosen[0].device_id !== entry.device_id)}
          onToggle={() => toggle(entry)}
        />
      ),
    },
    { label: t("held.received"), cell: (entry) => <ReceivedCell entry={entry} /> },
    { label: t("held.device"), cell: ({ device_id }) => <SenderName sender={{ kind: "device", id: device_id }} /> },
    { label: t("held.measured"), cell: (entry) => <MeasuredCell entry={entry} /> },
    { label: t("held.count"), align: "end", cell: ({ count }) => formatNumber(count) },
    { label: t("held.reasons"), cell: ({ reasons }) => formatReasons(reasons) },
    { label: t("held.assigned"), cell: (entry) => <AssignedCell entry={entry} /> },
    { label: t("held.state"), cell: (entry) => <StateCell entry={entry} /> },
    {
      label: t("held.acts"),
      cell: (entry) => (
        <RowActions
          entry={entry}
          isFiltered={device !== undefined}
          onSamples={() => setDialog({ kind: "samples", entry })}
          onDevice={() => updateSearch({ ...(state && { state }), device: entry.device_id })}
        />
      ),
    },
  ];
  return (
    <Page
      title={t("held.title")}
      actions={
        <Button component={Link} to="/uploads/quarantine" variant="default">
          {t("held.to_files")}
        </Button>
      }
    >
      <p className={layout.muted}>{t("held.intro")}</p>
      <search className={`${layout.filters} ${classes.filters}`} aria-label={t("common.filters")}>
        <NativeSelect
          label={t("held.state")}
          value={state ?? ""}
          onChange={({ currentTarget: { value } }) =>
            updateSearch({ ...(isHeldState(value) && { state: value }), ...(device && { device }) })
          }
          data={[
            { value: "", label: t("common.all") },
            ...HELD_STATES.map((value) => ({ value, label: t(`held_state.${value}`) })),
          ]}
        />
        {device && (
          <Button variant="default" onClick={() => updateSearch(state ? { state } : {})}>
            {t("held.all_devices")}
          </Button>
        )}
      </search>
      <div ref={selection} tabIndex={-1}>
        {run ? (
          <HeldRunCard run={run} onResume={resume} onStop={stop} onDismiss={closeRun} />
        ) : (
          <HeldSelectionBar
            chosen={chosen}
            device={device}
            onChoose={setChosen}
            onFile={() => setDialog({ kind: "file" })}
            onDiscard={() => setDialog({ kind: "discard" })}
          />
        )}
      </div>
      <DataTable
        label={t("held.title")}
        query={query}
        columns={columns}
        rowKey={({ held_id }) => held_id}
        isFiltered={state !== undefined || device !== undefined}
        empty={t("held.empty")}
      />
      {dialog?.kind === "samples" && <HeldSamplesDialog entry={dialog.entry} onClose={closeDialog} />}
      {dialog?.kind === "file" && <FileDialog entries={chosen} onStart={startJob} onClose={closeDialog} />}
      {dialog?.kind === "discard" && <DiscardDialog entries={chosen} onStart={startJob} onClose={closeDialog} />}
    </Page>
  );
}

type ChoiceBoxProps = { entry: HeldEntry; isChosen: boolean; isDisabled: boolean; onToggle: () => void };

function ChoiceBox({ entry, isChosen, isDisabled, onToggle }: ChoiceBoxProps) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(entry.hospital_id);
  if (entry.state !== "held") return "—";
  const label = t("held.choose_entry", { at: formatDateTime(entry.received_at, zone), n: entry.count });
  return <Checkbox aria-label={label} checked={isChosen} disabled={isDisabled} onChange={onToggle} />;
}

type RowActionsProps = { entry: HeldEntry; isFiltered: boolean; onSamples: () => void; onDevice: () => void };

function RowActions({ entry, isFiltered, onSamples, onDevice }: RowActionsProps) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(entry.hospital_id);
  const withTime = (act: string) => `${act}: ${formatDateTime(entry.received_at, zone)}`;
  return (
    <div className={layout.acts}>
      <Button variant="default" size="compact-sm" aria-label={withTime(t("held.samples"))} onClick={onSamples}>
        {t("held.samples")}
      </Button>
      {!isFiltered && (
        <Button variant="default" size="compact-sm" aria-label={withTime(t("held.only_device"))} onClick={onDevice}>
          {t("held.only_device")}
        </Button>
      )}
    </div>
  );
}
