// Whose a device is and has been, when it was heard, and how it is bound to somebody else.
import { Button, Group } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { DataTable, PAGES } from "../design/data-table.tsx";
import { Dialog } from "../design/dialog.tsx";
import { type FieldErrors, Form } from "../design/form.tsx";
import layout from "../design/layout.module.css";
import { Card, Facts } from "../design/page.tsx";
import { dateTime } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import { nameOf, type PatientSummary } from "../patients/api.ts";
import { usePatient } from "../rules/use-patient.ts";
import { type Assignment, type Device, listAssignments } from "./api.ts";
import { BindQuestion } from "./bind-question.tsx";
import { ChoosePatient } from "./choose-patient.tsx";
import classes from "./devices.module.css";
import { Clock, Conditions, LastHeard, Silent, useHeardOf, useSilent } from "./heard.tsx";
import { UnbindQuestion } from "./unbind-question.tsx";

type BindingProps = { device: Device; mayManage: boolean; zone: string | undefined };

export function DeviceBinding({ device, mayManage, zone }: BindingProps) {
  const say = useSay();
  const [open, setOpen] = useState<"bind" | "unbind" | null>(null);
  const silent = useSilent({ device_id: device.device_id });
  const query = useInfiniteQuery({
    queryKey: ["devices", "assignments", device.device_id],
    queryFn: ({ pageParam }) => listAssignments(device.device_id, pageParam),
    ...PAGES,
  });
  const isBound = device.patient_id !== null;
  const columns = [
    { label: say("devices.patient"), cell: ({ patient_id }: Assignment) => <PatientLink patientId={patient_id} /> },
    { label: say("devices.start"), cell: ({ started_at }: Assignment) => dateTime(started_at, zone) },
    {
      label: say("devices.end"),
      cell: ({ ended_at }: Assignment) => (ended_at ? dateTime(ended_at, zone) : <strong>{say("devices.still")}</strong>),
    },
  ];
  const actions = mayManage && device.is_active && (
    <Group gap="xs">
      <Button variant="default" onClick={() => setOpen("bind")}>
        {say(isBound ? "devices.bind_other" : "devices.bind")}
      </Button>
      {isBound && (
        <Button variant="default" onClick={() => setOpen("unbind")}>
          {say("devices.unbind")}
        </Button>
      )}
    </Group>
  );
  return (
    <Card title={say("devices.binding")} actions={actions || undefined}>
      {isBound ? (
        <BoundNow device={device} since={query.data?.pages[0]?.items[0]?.started_at} zone={zone} />
      ) : (
        <p className={layout.muted}>{say("devices.not_bound")}</p>
      )}
      <Silent alertId={silent.get(device.device_id)} />
      <div className={classes.part}>
        <h3>{say("devices.history")}</h3>
        <DataTable
          label={say("devices.history")}
          columns={columns}
          keyOf={({ assignment_id }) => assignment_id}
          query={query}
          empty={say("devices.no_history")}
        />
      </div>
      {open === "bind" && <BindDialog device={device} onClose={() => setOpen(null)} />}
      {open === "unbind" && <UnbindQuestion device={device} onClose={() => setOpen(null)} />}
    </Card>
  );
}

function BoundNow({ device, since, zone }: { device: Device; since: string | undefined; zone: string | undefined }) {
  const say = useSay();
  const heard = useHeardOf(device);
  return (
    <Facts
      items={[
        [say("devices.bound_to"), <PatientLink key="patient" patientId={device.patient_id ?? ""} />],
        [say("devices.bound_since"), since ? dateTime(since, zone) : "…"],
        [say("devices.last_seen"), <LastHeard key="heard" heard={heard} />],
        [say("devices.clock"), <Clock key="clock" heard={heard} />],
        [say("devices.conditions"), <Conditions key="conditions" heard={heard} />],
      ]}
    />
  );
}

function PatientLink({ patientId }: { patientId: string }) {
  const say = useSay();
  const { data } = usePatient(patientId);
  const text = data
    ? `${nameOf(data.data)} · ${say("common.number", { n: data.data.patient_number })}`
    : say("devices.a_patient");
  return (
    <Link to="/patients/$patientId" params={{ patientId }}>
      {text}
    </Link>
  );
}

function BindDialog({ device, onClose }: { device: Device; onClose: () => void }) {
  const say = useSay();
  const [patient, setPatient] = useState<PatientSummary | null>(null);
  const [asking, setAsking] = useState(false);
  if (patient && asking) {
    return <BindQuestion device={device} patient={patient} onBound={onClose} onClose={() => setAsking(false)} />;
  }
  return (
    <Dialog title={say("devices.bind")} onClose={onClose}>
      <Form
        submit={say("devices.bind_act")}
        check={(): FieldErrors => (patient ? {} : { patient_id: say("devices.choose_patient") })}
        onSubmit={async () => setAsking(true)}
        changes={false}
        onCancel={onClose}
      >
        {(field) => (
          <ChoosePatient hospitalId={device.hospital_id} chosen={patient} onChoose={setPatient} field={field("patient_id")} />
        )}
      </Form>
    </Dialog>
  );
}
