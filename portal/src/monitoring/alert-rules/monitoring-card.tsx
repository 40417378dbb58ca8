// Monitoring settings of a patient: mode, ward, SpO₂ scale, pregnancy, and how the patient is watched.
import { NativeSelect } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useActiveWards } from "../../organization/wards/use-wards.ts";
import { type Patient, patientApi } from "../../patients/api.ts";
import { usePatientRecord } from "../../patients/record/use-patient-record.ts";
import { readData } from "../../platform/api/client.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { Form } from "../../platform/design/form.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import { Card } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import { changeMonitoring, type Monitoring, type MonitoringChange, readMonitoring } from "./api.ts";
import classes from "./rules.module.css";

const MONITORING_MODES = ["off", "home", "ward"] as const;
type MonitoringMode = (typeof MONITORING_MODES)[number];
/** Null: as the ward. `auto` is a choice of wards, shown here only where it is set. */
const WATCH_MODES = [null, "continuous", "spot"] as const;
const toOption = (mode: Monitoring["observation_mode"]) => mode ?? "ward";
type VersionedData<T> = { data: T; etag: string };

export function MonitoringCard({ patientId, zone }: { patientId: string; zone: string | undefined }) {
  const t = useTranslation();
  const patient = usePatientRecord(patientId);
  const monitoring = useQuery({ queryKey: ["rules", "monitoring", patientId], queryFn: () => readMonitoring(patientId) });
  return (
    <Card>
      <div className={classes.forms}>
        <section>
          <h2>{t("rules.monitoring")}</h2>
          <QueryBoundary query={patient}>{(versioned) => <MonitoringForm key={versioned.etag} {...versioned} />}</QueryBoundary>
        </section>
        <section>
          <h2>{t("rules.score")}</h2>
          <QueryBoundary query={monitoring}>
            {(versioned) => <ScoreForm key={versioned.etag} {...versioned} zone={zone} />}
          </QueryBoundary>
        </section>
      </div>
    </Card>
  );
}

/** Reads again what depends on the change: the patient and the lists of patients, and the limits, which depend on the ward. */
function useAfterSave() {
  const t = useTranslation();
  const client = useQueryClient();
  return async () => {
    await Promise.all([client.invalidateQueries({ queryKey: ["rules"] }), client.invalidateQueries({ queryKey: ["patients"] })]);
    announce(t("rules.monitoring_saved"));
  };
}

function MonitoringForm({ data: patient, etag }: VersionedData<Patient>) {
  const t = useTranslation();
  const afterSave = useAfterSave();
  const [mode, setMode] = useState<MonitoringMode>(patient.monitoring);
  const [ward, setWard] = useState(patient.ward_id ?? "");
  const [isConfirming, setIsConfirming] = useState(false);
  const wards = useActiveWards(patient.hospital_id);
  const save = async () => {
    const json = { monitoring: mode, ward_id: ward === "" ? null : ward };
    await readData(
      patientApi.patients[":patient_id"].$patch(
        { param: { patient_id: patient.patient_id }, header: { "if-match": etag }, json },
        { init: { signal: AbortSignal.timeout(5_000) } },
      ),
    );
    await afterSave();
  };
  const isTurningOff = mode === "off" && patient.monitoring !== "off";
  const submit = async () => (isTurningOff ? setIsConfirming(true) : save());
  const activeWards = wards.data ?? [];
  const options = [
    { value: "", label: t("rules.no_ward") },
    ...activeWards.map(({ ward_id, name }) => ({ value: ward_id, label: name })),
    // A closed ward, or one that is not loaded yet.
    ...(ward !== "" && !activeWards.some(({ ward_id }) => ward_id === ward) ? [{ value: ward, label: "…" }] : []),
  ];
  return (
    <>
      <Form submitLabel={t("common.save")} onSubmit={submit} labels={{ ward_id: t("rules.ward") }}>
        {(field) => (
          <>
            <NativeSelect
              {...field("monitoring")}
              label={t("rules.monitoring")}
              description={translateCode("rules.monitoring_hint", mode)}
              data={MONITORING_MODES.map((value) => ({ value, label: translateCode("rules.monitoring", value) }))}
              value={mode}
              onChange={({ currentTarget: { value } }) => setMode(MONITORING_MODES.find((mode) => mode === value) ?? mode)}
            />
            <NativeSelect
              {...field("ward_id")}
              label={t("rules.ward")}
              data={options}
              value={ward}
              onChange={({ currentTarget }) => setWard(currentTarget.value)}
            />
          </>
        )}
      </Form>
      {isConfirming && (
        <ConfirmDialog
          title={t("rules.off_question")}
          confirmLabel={t("rules.off_act")}
          onConfirm={save}
          onClose={() => setIsConfirming(false)}
        >
          <p>{t("rules.off_text")}</p>
        </ConfirmDialog>
      )}
    </>
  );
}

function ScoreForm({ data, etag, zone }: VersionedData<Monitoring> & { zone: string | undefined }) {
  const t = useTranslation();
  const afterSave = useAfterSave();
  const [scale, setScale] = useState<1 | 2>(data.spo2_scale === 2 ? 2 : 1);
  const [pregnant, setPregnant] = useState(data.pregnant);
  const [watchMode, setWatchMode] = useState(data.observation_mode);
  const [confirmation, setConfirmation] = useState<"scale" | "pregnant" | null>(null);
  const save = async () => {
    const change: MonitoringChange = { spo2_scale: scale, pregnant, observation_mode: watchMode };
    await changeMonitoring(data.patient_id, etag, change);
    await afterSave();
  };
  const riskyChange = scale === 2 && data.spo2_scale !== 2 ? "scale" : pregnant && !data.pregnant ? "pregnant" : null;
  const submit = async () => (riskyChange ? setConfirmation(riskyChange) : save());
  const watchModes = data.observation_mode === "auto" ? [...WATCH_MODES, "auto" as const] : WATCH_MODES;
  return (
    <>
      <Form submitLabel={t("common.save")} onSubmit={submit}>
        {(field) => (
          <>
            <NativeSelect
              {...field("observation_mode")}
              label={t("rules.watch")}
              description={t("rules.watch_hint")}
              data={watchModes.map((mode) => ({ value: toOption(mode), label: translateCode("rules.watch", toOption(mode)) }))}
              value={toOption(watchMode)}
              onChange={({ currentTarget: { value } }) =>
                setWatchMode(watchModes.find((mode) => toOption(mode) === value) ?? null)
              }
            />
            <NativeSelect
              {...field("spo2_scale")}
              label={t("rules.scale")}
              description={t("rules.scale_hint")}
              data={["1", "2"].map((value) => ({ value, label: translateCode("rules.scale", value) }))}
              value={String(scale)}
              onChange={({ currentTarget: { value } }) => setScale(value === "2" ? 2 : 1)}
            />
            <NativeSelect
              {...field("pregnant")}
              label={t("rules.pregnant")}
              description={t("rules.pregnant_hint")}
              data={[
                { value: "no", label: t("common.no") },
                { value: "yes", label: t("common.yes") },
              ]}
              value={pregnant ? "yes" : "no"}
              onChange={({ currentTarget: { value } }) => setPregnant(value === "yes")}
            />
          </>
        )}
      </Form>
      <p className={classes.hint}>
        {t("rules.last_change")}: {data.updated_at ? formatDateTime(data.updated_at, zone) : t("rules.never_changed")}
      </p>
      {confirmation && (
        <ConfirmDialog
          title={t(confirmation === "scale" ? "rules.scale_question" : "rules.pregnant_question")}
          confirmLabel={t(confirmation === "scale" ? "rules.scale_act" : "rules.pregnant_act")}
          onConfirm={save}
          onClose={() => setConfirmation(null)}
        >
          {confirmation === "scale" && <p>{t("rules.scale_text")}</p>}
          {pregnant && !data.pregnant && <p>{t("rules.pregnant_hint")}</p>}
        </ConfirmDialog>
      )}
    </>
  );
}
