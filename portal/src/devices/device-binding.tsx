// Assignment of a device: current and earlier patients, last data, and reassignment.
import { Button, Group } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { getFullName, type PatientSummary } from "../patients/api.ts";
import { usePatientRecord } from "../patients/record/use-patient-record.ts";
import { CURSOR_PAGINATION, DataTable } from "../platform/design/data-table.tsx";
import { Dialog } from "../platform/design/dialog.tsx";
import { type FieldErrors, Form } from "../platform/design/form.tsx";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card, DescriptionList } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { type Assignment, type Device, listAssignments } from "./api.ts";
import { BindDeviceDialog } from "./bind-device-dialog.tsx";
import { ClockSkew, Conditions, LastSeen, SilentBadge, useDeviceAlarms, useDeviceStatus } from "./device-status.tsx";
import classes from "./devices.module.css";
import { PatientChoice } from "./patient-choice.tsx";
import { UnbindDeviceDialog } from "./unbind-device-dialog.tsx";

type BindingProps = { device: Device; canManage: boolean; zone: string | undefined };

export function DeviceBinding({ device, canManage, zone }: BindingProps) {
  const t = useTranslation();
  const [dialog, setDialog] = useState<"bind" | "unbind" | null>(null);
  const alarms = useDeviceAlarms(device.device_id).data?.items ?? [];
  const silence = alarms.find(({ rule }) => rule === "device_silence");
  const query = useInfiniteQuery({
    queryKey: ["devices", "assignments", device.device_id],
    queryFn: ({ pageParam }) => listAssignments(device.device_id, pageParam),
    ...CURSOR_PAGINATION,
  });
  const isBound = device.patient_id !== null;
  const columns = [
    { label: t("devices.patient"), cell: ({ patient_id }: Assignment) => <PatientLink patientId={patient_id} /> },
    { label: t("devices.start"), cell: ({ started_at }: Assignment) => formatDateTime(started_at, zone) },
    {
      label: t("devices.end"),
      cell: ({ ended_at }: Assignment) => (ended_at ? formatDateTime(ended_at, zone) : <strong>{t("devices.still")}</strong>),
    },
  ];
  const actions = canManage && device.is_active && (
    <Group gap="xs">
      <Button variant="default" onClick={() => setDialog("bind")}>
        {t(isBound ? "devices.bind_other" : "devices.bind")}
      </Button>
      {isBound && (
        <Button variant="default" onClick={() => setDialog("unbind")}>
          {t("devices.unbind")}
        </Button>
      )}
    </Group>
  );
  return (
    <Card title={t("devices.binding")} actions={actions || undefined}>
      {isBound ? (
        <CurrentBinding device={device} since={query.data?.pages[0]?.items[0]?.started_at} zone={zone} />
      ) : (
        <p className={layout.muted}>{t("devices.not_bound")}</p>
      )}
      <SilentBadge alertId={silence?.alert_id} />
      <div className={classes.part}>
        <h3>{t("devices.history")}</h3>
        <DataTable
          label={t("devices.history")}
          columns={columns}
          rowKey={({ assignment_id }) => assignment_id}
          query={query}
          empty={t("devices.no_history")}
        />
      </div>
      {dialog === "bind" && <BindDialog device={device} onClose={() => setDialog(null)} />}
      {dialog === "unbind" && <UnbindDeviceDialog device={device} onClose={() => setDialog(null)} />}
    </Card>
  );
}

function CurrentBinding({ device, since, zone }: { device: Device; since: string | undefined; zone: string | undefined }) {
  const t = useTranslation();
  const status = useDeviceStatus(device);
  return (
    <DescriptionList
      items={[
        [t("devices.bound_to"), <PatientLink key="patient" patientId={device.patient_id ?? ""} />],
        [t("devices.bound_since"), since ? formatDateTime(since, zone) : "…"],
        [t("devices.last_seen"), <LastSeen key="heard" status={status} />],
        [t("devices.clock"), <ClockSkew key="clock" status={status} />],
        [t("devices.conditions"), <Conditions key="conditions" status={status} />],
      ]}
    />
  );
}

function PatientLink({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const { data } = usePatientRecord(patientId);
  const text = data
    ? `${getFullName(data.data)} · ${t("common.number", { n: data.data.patient_number })}`
    : t("devices.a_patient");
  return (
    <Link to="/patients/$patientId" params={{ patientId }}>
      {text}
    </Link>
  );
}

function BindDialog({ device, onClose }: { device: Device; onClose: () => void }) {
  const t = useTranslation();
  const [patient, setPatient] = useState<PatientSummary | null>(null);
  const [isConfirming, setIsConfirming] = useState(false);
  if (patient && isConfirming) {
    return <BindDeviceDialog device={device} patient={patient} onBound={onClose} onClose={() => setIsConfirming(false)} />;
  }
  return (
    <Dialog title={t("devices.bind")} onClose={onClose}>
      <Form
        submitLabel={t("devices.bind_act")}
        validate={(): FieldErrors => (patient ? {} : { patient_id: t("devices.choose_patient") })}
        onSubmit={async () => setIsConfirming(true)}
        isMutation={false}
        onCancel={onClose}
      >
        {(field) => (
          <PatientChoice hospitalId={device.hospital_id} chosen={patient} onChoose={setPatient} field={field("patient_id")} />
        )}
      </Form>
    </Dialog>
  );
}
