// Device page: identity, assignment, status and credentials.
import { Button, Group } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { describeAlarm } from "../monitoring/alerts/alarm-text.ts";
import { useHospitalName, useHospitalTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { ConfirmDialog } from "../platform/design/confirm-dialog.tsx";
import { Dialog } from "../platform/design/dialog.tsx";
import { Form } from "../platform/design/form.tsx";
import { formatDate, formatDateTime } from "../platform/design/format.ts";
import { Card, DescriptionList, Page } from "../platform/design/page.tsx";
import { PriorityBadge, shownAs } from "../platform/design/priority.tsx";
import { EmptyState, QueryBoundary } from "../platform/design/query-states.tsx";
import { usePageZone } from "../platform/design/screen-zone.ts";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { announce } from "../shell/announcer.tsx";
import { changeDevice, type Device, readDevice, retireDevice } from "./api.ts";
import { ClaimCodeCard } from "./claim-code-card.tsx";
import { DeviceBinding } from "./device-binding.tsx";
import { DeviceCredentials } from "./device-credentials.tsx";
import { DeviceFields, deviceFieldLabels, toDeviceBody, toDeviceInput, validateDeviceInput } from "./device-fields.tsx";
import { useDeviceAlarms } from "./device-status.tsx";
import classes from "./devices.module.css";

type VersionedDevice = { data: Device; etag: string };

export function DevicePage() {
  const t = useTranslation();
  const { deviceId = "" } = useParams({ strict: false });
  const query = useQuery({ queryKey: ["devices", "one", deviceId], queryFn: () => readDevice(deviceId) });
  // Device names may contain patient names, so they stay out of the window title.
  return (
    <Page title={query.data?.data.name ?? t("devices.device")} windowTitle={t("devices.device")}>
      <QueryBoundary query={query}>{(versioned) => <DeviceSections {...versioned} />}</QueryBoundary>
    </Page>
  );
}

function DeviceSections({ data: device, etag }: VersionedDevice) {
  const t = useTranslation();
  const { role } = useMe();
  const zone = useHospitalTimeZone(device.hospital_id);
  usePageZone(zone);
  const canManage = role !== "doctor";
  // The service refuses staff to assign a patient's own device elsewhere, to end its assignment and to issue its credentials.
  const canConnect = canManage && !device.is_patient_owned;
  return (
    <>
      {!device.is_active && <p className={classes.warning}>{t("devices.retired_note")}</p>}
      <DeviceDetails data={device} etag={etag} canManage={canManage} zone={zone} />
      <DeviceBinding device={device} canManage={canConnect} zone={zone} />
      <DeviceAlarms device={device} zone={zone} />
      {canManage && <DeviceCredentials device={device} canIssue={canConnect && device.is_active} zone={zone} />}
      {canConnect && device.is_active && <ClaimCodeCard device={device} />}
    </>
  );
}

function DeviceDetails({
  data: device,
  etag,
  canManage,
  zone,
}: VersionedDevice & { canManage: boolean; zone: string | undefined }) {
  const t = useTranslation();
  const client = useQueryClient();
  const getHospitalName = useHospitalName(device.hospital_id);
  const [dialog, setDialog] = useState<"edit" | "retire" | "restore" | null>(null);
  const closeDialog = () => setDialog(null);
  const afterChange = async (text: string) => {
    await client.invalidateQueries({ queryKey: ["devices"] });
    announce(text);
  };
  const retire = async () => {
    await retireDevice(device.device_id, etag);
    await afterChange(t("devices.retired_note"));
  };
  const restore = async () => {
    await changeDevice(device.device_id, etag, { is_active: true });
    await afterChange(t("devices.restored"));
  };
  const actions = canManage && (
    <Group gap="xs">
      <Button variant="default" onClick={() => setDialog("edit")}>
        {t("devices.edit")}
      </Button>
      <Button variant="default" onClick={() => setDialog(device.is_active ? "retire" : "restore")}>
        {t(device.is_active ? "devices.retire" : "devices.restore")}
      </Button>
    </Group>
  );
  return (
    <Card title={t("devices.details")} actions={actions || undefined}>
      <DescriptionList
        items={[
          [t("devices.kind"), translateCode("devices.kind", device.kind)],
          [t("devices.serial"), device.serial_number],
          [t("devices.manufacturer"), device.manufacturer],
          [t("devices.model"), device.model],
          [t("devices.hospital"), getHospitalName(device.hospital_id)],
          [t("devices.service"), t(device.is_active ? "devices.in_service" : "devices.out_of_service")],
          [t("devices.added"), formatDate(device.created_at, zone)],
        ]}
      />
      {dialog === "edit" && <EditDialog data={device} etag={etag} onClose={closeDialog} />}
      {dialog === "retire" && (
        <ConfirmDialog
          title={t("devices.retire_question", { name: device.name })}
          confirmLabel={t("devices.retire")}
          onConfirm={retire}
          onClose={closeDialog}
        >
          <p>{t("devices.retire_text")}</p>
        </ConfirmDialog>
      )}
      {dialog === "restore" && (
        <ConfirmDialog
          title={device.name}
          confirmLabel={t("devices.restore")}
          isDangerous={false}
          onConfirm={restore}
          onClose={closeDialog}
        />
      )}
    </Card>
  );
}

function EditDialog({ data: device, etag, onClose }: VersionedDevice & { onClose: () => void }) {
  const t = useTranslation();
  const client = useQueryClient();
  const [value, setValue] = useState(toDeviceInput(device));
  const save = async () => {
    await changeDevice(device.device_id, etag, toDeviceBody(value));
    await client.invalidateQueries({ queryKey: ["devices"] });
    announce(t("devices.saved"));
    onClose();
  };
  return (
    <Dialog title={t("devices.edit_title")} onClose={onClose}>
      <Form
        submitLabel={t("common.save")}
        validate={() => validateDeviceInput(value)}
        onSubmit={save}
        onCancel={onClose}
        labels={deviceFieldLabels()}
      >
        {(field) => <DeviceFields value={value} onChange={setValue} field={field} />}
      </Form>
    </Dialog>
  );
}

function DeviceAlarms({ device, zone }: { device: Device; zone: string | undefined }) {
  const t = useTranslation();
  const query = useDeviceAlarms(device.device_id);
  return (
    <Card title={t("devices.alarms")}>
      <QueryBoundary query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState>{t("devices.no_alarms")}</EmptyState>
          ) : (
            <ul>
              {items.map((alert) => (
                <li key={alert.alert_id}>
                  <Link to="/alarms/$alertId" params={{ alertId: alert.alert_id }}>
                    <PriorityBadge priority={shownAs(alert)} /> {describeAlarm(alert)} · {formatDateTime(alert.raised_at, zone)}
                  </Link>
                </li>
              ))}
            </ul>
          )
        }
      </QueryBoundary>
    </Card>
  );
}
