// Devices of one patient: assigned now, with status, and earlier ones.
import { Button, Group, NativeSelect } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { useHospitalTimeZone } from "../organization/hospitals/use-hospitals.ts";
import type { Patient } from "../patients/api.ts";
import { usePatientRecord } from "../patients/record/use-patient-record.ts";
import { type Column, CURSOR_PAGINATION, DataTable } from "../platform/design/data-table.tsx";
import { Dialog } from "../platform/design/dialog.tsx";
import { type FieldErrors, Form } from "../platform/design/form.tsx";
import layout from "../platform/design/layout.module.css";
import { Card, Page } from "../platform/design/page.tsx";
import { EmptyState, QueryBoundary } from "../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { DEVICE_KINDS, type Device, type DeviceKind, type DeviceStatus, isDeviceKind, listDevices } from "./api.ts";
import { BindDeviceDialog } from "./bind-device-dialog.tsx";
import { listIdentityColumns } from "./device-columns.tsx";
import {
  ClockSkew,
  Conditions,
  CounterRestart,
  LastSeen,
  SilentBadge,
  useDeviceStatus,
  useSilenceAlarms,
} from "./device-status.tsx";
import classes from "./devices.module.css";
import { EarlierBindings } from "./earlier-bindings.tsx";
import { UnbindDeviceDialog } from "./unbind-device-dialog.tsx";

export function PatientDevicesPage() {
  const t = useTranslation();
  const { patientId = "" } = useParams({ strict: false });
  const { role } = useMe();
  const patient = usePatientRecord(patientId);
  const [isChoosing, setIsChoosing] = useState(false);
  const canManage = role !== "doctor";
  const zone = useHospitalTimeZone(patient.data?.data.hospital_id);
  const addButton = canManage && patient.data && <Button onClick={() => setIsChoosing(true)}>{t("devices.add")}</Button>;
  return (
    <Page title={t("devices.of_patient")} actions={addButton || undefined}>
      <QueryBoundary query={patient}>
        {({ data }) => (
          <>
            <BoundDevices patientId={data.patient_id} canManage={canManage} />
            <Card title={t("devices.before")}>
              {role === "admin" || role === "hospital_admin" ? (
                <EarlierBindings patientId={data.patient_id} zone={zone} />
              ) : (
                <p className={layout.muted}>{t("devices.before_elsewhere")}</p>
              )}
            </Card>
            {isChoosing && <ChooseDeviceDialog patient={data} onClose={() => setIsChoosing(false)} />}
          </>
        )}
      </QueryBoundary>
    </Page>
  );
}

function BoundDevices({ patientId, canManage }: { patientId: string; canManage: boolean }) {
  const t = useTranslation();
  const [deviceToUnbind, setDeviceToUnbind] = useState<Device | null>(null);
  const silenceAlarms = useSilenceAlarms({ patient_id: patientId });
  const query = useInfiniteQuery({
    queryKey: ["devices", "list", { patient_id: patientId }],
    queryFn: ({ pageParam }) => listDevices({ patient_id: patientId }, pageParam),
    ...CURSOR_PAGINATION,
  });
  const columns: Column<Device>[] = [
    ...listIdentityColumns(),
    { label: t("devices.last_seen"), cell: (device) => <WithDeviceStatus device={device} Part={LastSeen} /> },
    {
      label: t("devices.clock"),
      cell: (device) => (
        <div>
          <WithDeviceStatus device={device} Part={ClockSkew} />
          <WithDeviceStatus device={device} Part={CounterRestart} />
        </div>
      ),
    },
    {
      label: t("devices.conditions"),
      cell: (device) => (
        <div>
          <WithDeviceStatus device={device} Part={Conditions} /> <SilentBadge alertId={silenceAlarms.get(device.device_id)} />
        </div>
      ),
    },
    ...(canManage
      ? [
          {
            label: t("devices.unbind"),
            cell: (device: Device) => (
              <Button
                variant="default"
                size="compact-sm"
                className={classes.act}
                onClick={() => setDeviceToUnbind(device)}
                aria-label={`${t("devices.unbind")}: ${device.name}`}
              >
                {t("devices.unbind")}
              </Button>
            ),
          },
        ]
      : []),
  ];
  return (
    <Card title={t("devices.now")}>
      <DataTable
        label={t("devices.now")}
        columns={columns}
        rowKey={({ device_id }) => device_id}
        query={query}
        empty={t("devices.none_now")}
      />
      {deviceToUnbind && <UnbindDeviceDialog device={deviceToUnbind} onClose={() => setDeviceToUnbind(null)} />}
    </Card>
  );
}

function WithDeviceStatus({
  device,
  Part,
}: {
  device: Device;
  Part: (props: { status: DeviceStatus | undefined }) => ReactNode;
}) {
  return <Part status={useDeviceStatus(device)} />;
}

function ChooseDeviceDialog({ patient, onClose }: { patient: Patient; onClose: () => void }) {
  const t = useTranslation();
  const [kind, setKind] = useState<DeviceKind | "">("");
  const [device, setDevice] = useState<Device | null>(null);
  const [isConfirming, setIsConfirming] = useState(false);
  if (device && isConfirming) {
    return <BindDeviceDialog device={device} patient={patient} onBound={onClose} onClose={() => setIsConfirming(false)} />;
  }
  return (
    <Dialog title={t("devices.add")} onClose={onClose}>
      <Form
        submitLabel={t("devices.bind_act")}
        validate={(): FieldErrors => (device ? {} : { device_id: t("devices.choose_device") })}
        onSubmit={async () => setIsConfirming(true)}
        isMutation={false}
        onCancel={onClose}
      >
        {(field) => (
          <>
            <NativeSelect
              label={t("devices.kind")}
              data={[
                { value: "", label: t("common.all") },
                ...DEVICE_KINDS.map((deviceKind) => ({ value: deviceKind, label: translateCode("devices.kind", deviceKind) })),
              ]}
              value={kind}
              onChange={({ currentTarget: { value } }) => {
                setKind(isDeviceKind(value) ? value : "");
                setDevice(null);
              }}
            />
            <DeviceChoices patient={patient} kind={kind} chosen={device} onChoose={setDevice} {...field("device_id")} />
          </>
        )}
      </Form>
    </Dialog>
  );
}

type DeviceChoicesProps = {
  patient: Patient;
  kind: DeviceKind | "";
  chosen: Device | null;
  onChoose: (device: Device) => void;
  id: string;
  error: string | undefined;
};

function DeviceChoices({ patient, kind, chosen, onChoose, id, error }: DeviceChoicesProps) {
  const t = useTranslation();
  const filters = { active: "true" as const, hospital_id: patient.hospital_id, ...(kind && { kind }) };
  const query = useInfiniteQuery({
    queryKey: ["devices", "list", filters],
    queryFn: ({ pageParam }) => listDevices(filters, pageParam),
    ...CURSOR_PAGINATION,
  });
  return (
    <div id={id} tabIndex={-1}>
      <QueryBoundary query={query}>
        {({ pages }) => {
          const devices = pages.flatMap(({ items }) => items).filter(({ patient_id }) => patient_id !== patient.patient_id);
          if (devices.length === 0) return <EmptyState>{t("devices.none_to_choose")}</EmptyState>;
          return (
            <fieldset className={classes.choices}>
              <legend className="visually-hidden">{t("devices.device")}</legend>
              {devices.map((device) => (
                <label key={device.device_id} className={classes.choice}>
                  <input
                    type="radio"
                    name={`${id}-device`}
                    checked={chosen?.device_id === device.device_id}
                    onChange={() => onChoose(device)}
                  />
                  <span>
                    {device.name}
                    <small>
                      {[
                        translateCode("devices.kind", device.kind),
                        device.serial_number,
                        device.patient_id && t("devices.bound_elsewhere"),
                      ]
                        .filter(Boolean)
                        .join(" · ")}
                    </small>
                  </span>
                </label>
              ))}
            </fieldset>
          );
        }}
      </QueryBoundary>
      {error && <p className={classes.error}>{error}</p>}
      {query.hasNextPage && (
        <Group mt="xs">
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("common.show_more")}
          </Button>
        </Group>
      )}
    </div>
  );
}
