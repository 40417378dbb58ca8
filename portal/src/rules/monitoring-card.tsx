// Whether and where a patient is watched, and what the score needs to know of them.
import { NativeSelect } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { dataOf } from "../api/client.ts";
import { Confirm } from "../design/confirm.tsx";
import { Form } from "../design/form.tsx";
import { Card } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { dateTime } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { listWards, type Patient, patientApi } from "../patients/api.ts";
import { announce } from "../shell/announcer.tsx";
import { changeMonitoring, type Monitoring, type MonitoringChange, readMonitoring } from "./api.ts";
import classes from "./rules.module.css";
import { usePatient } from "./use-patient.ts";

const PLACES = ["off", "home", "ward"] as const;
type Place = (typeof PLACES)[number];
type Versioned<T> = { data: T; etag: string };

export function MonitoringCard({ patientId, zone }: { patientId: string; zone: string | undefined }) {
  const say = useSay();
  const patient = usePatient(patientId);
  const monitoring = useQuery({ queryKey: ["rules", "monitoring", patientId], queryFn: () => readMonitoring(patientId) });
  return (
    <Card>
      <div className={classes.forms}>
        <section>
          <h2>{say("rules.monitoring")}</h2>
          <Query query={patient}>{(found) => <PlaceForm key={found.etag} {...found} />}</Query>
        </section>
        <section>
          <h2>{say("rules.score")}</h2>
          <Query query={monitoring}>{(found) => <ScoreForm key={found.etag} {...found} zone={zone} />}</Query>
        </section>
      </div>
    </Card>
  );
}

/** What was changed is read again, limits too: they depend on the ward. */
function useDone(patientId: string) {
  const say = useSay();
  const client = useQueryClient();
  return async () => {
    await Promise.all([
      client.invalidateQueries({ queryKey: ["rules"] }),
      client.invalidateQueries({ queryKey: ["patients", "one", patientId] }),
    ]);
    announce(say("rules.monitoring_saved"));
  };
}

function PlaceForm({ data: patient, etag }: Versioned<Patient>) {
  const say = useSay();
  const done = useDone(patient.patient_id);
  const [place, setPlace] = useState<Place>(patient.monitoring);
  const [ward, setWard] = useState(patient.ward_id ?? "");
  const [confirming, setConfirming] = useState(false);
  const wards = useQuery({
    queryKey: ["wards", patient.hospital_id, "active"],
    queryFn: () => listWards(patient.hospital_id),
  });
  const save = async () => {
    const json = { monitoring: place, ward_id: ward === "" ? null : ward };
    await dataOf(
      patientApi.patients[":patient_id"].$patch(
        { param: { patient_id: patient.patient_id }, header: { "if-match": etag }, json },
        { init: { signal: AbortSignal.timeout(5_000) } },
      ),
    );
    await done();
  };
  const isTurnedOff = place === "off" && patient.monitoring !== "off";
  const submit = async () => (isTurnedOff ? setConfirming(true) : save());
  const known = wards.data?.items ?? [];
  const options = [
    { value: "", label: say("rules.no_ward") },
    ...known.map(({ ward_id, name }) => ({ value: ward_id, label: name })),
    // One that is closed, or not read yet.
    ...(ward !== "" && !known.some(({ ward_id }) => ward_id === ward) ? [{ value: ward, label: "…" }] : []),
  ];
  return (
    <>
      <Form submit={say("common.save")} onSubmit={submit} labels={{ ward_id: say("rules.ward") }}>
        {(field) => (
          <>
            <NativeSelect
              {...field("monitoring")}
              label={say("rules.monitoring")}
              description={sayOf("rules.monitoring_hint", place)}
              data={PLACES.map((value) => ({ value, label: sayOf("rules.monitoring", value) }))}
              value={place}
              onChange={({ currentTarget: { value } }) => setPlace(PLACES.find((one) => one === value) ?? place)}
            />
            <NativeSelect
              {...field("ward_id")}
              label={say("rules.ward")}
              data={options}
              value={ward}
              onChange={({ currentTarget }) => setWard(currentTarget.value)}
            />
          </>
        )}
      </Form>
      {confirming && (
        <Confirm
          title={say("rules.off_question")}
          act={say("rules.off_act")}
          onConfirm={save}
          onClose={() => setConfirming(false)}
        >
          <p>{say("rules.off_text")}</p>
        </Confirm>
      )}
    </>
  );
}

function ScoreForm({ data, etag, zone }: Versioned<Monitoring> & { zone: string | undefined }) {
  const say = useSay();
  const done = useDone(data.patient_id);
  const [scale, setScale] = useState<1 | 2>(data.spo2_scale === 2 ? 2 : 1);
  const [pregnant, setPregnant] = useState(data.pregnant);
  const [confirming, setConfirming] = useState<"scale" | "pregnant" | null>(null);
  const save = async () => {
    const change: MonitoringChange = { spo2_scale: scale, pregnant };
    await changeMonitoring(data.patient_id, etag, change);
    await done();
  };
  const risk = scale === 2 && data.spo2_scale !== 2 ? "scale" : pregnant && !data.pregnant ? "pregnant" : null;
  const submit = async () => (risk ? setConfirming(risk) : save());
  return (
    <>
      <Form submit={say("common.save")} onSubmit={submit}>
        {(field) => (
          <>
            <NativeSelect
              {...field("spo2_scale")}
              label={say("rules.scale")}
              description={say("rules.scale_hint")}
              data={["1", "2"].map((value) => ({ value, label: sayOf("rules.scale", value) }))}
              value={String(scale)}
              onChange={({ currentTarget: { value } }) => setScale(value === "2" ? 2 : 1)}
            />
            <NativeSelect
              {...field("pregnant")}
              label={say("rules.pregnant")}
              description={say("rules.pregnant_hint")}
              data={[
                { value: "no", label: say("common.no") },
                { value: "yes", label: say("common.yes") },
              ]}
              value={pregnant ? "yes" : "no"}
              onChange={({ currentTarget: { value } }) => setPregnant(value === "yes")}
            />
          </>
        )}
      </Form>
      <p className={classes.hint}>
        {say("rules.last_change")}: {data.updated_at ? dateTime(data.updated_at, zone) : say("rules.never_changed")}
      </p>
      {confirming && (
        <Confirm
          title={say(confirming === "scale" ? "rules.scale_question" : "rules.pregnant_question")}
          act={say(confirming === "scale" ? "rules.scale_act" : "rules.pregnant_act")}
          onConfirm={save}
          onClose={() => setConfirming(null)}
        >
          {confirming === "scale" && <p>{say("rules.scale_text")}</p>}
          {pregnant && !data.pregnant && <p>{say("rules.pregnant_hint")}</p>}
        </Confirm>
      )}
    </>
  );
}
