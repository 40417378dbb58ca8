// One device: what it is, whose, whether it is heard, and what it sends with.
import { Button, Group } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { whatOf } from "../alarms/alert-words.ts";
import { Confirm } from "../design/confirm.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Form } from "../design/form.tsx";
import { Card, Facts, Page } from "../design/page.tsx";
import { PriorityBadge, shownAs } from "../design/priority.tsx";
import { Empty, Query } from "../design/states.tsx";
import { date, dateTime } from "../design/time.ts";
import { useHospitalName } from "../hospitals/use-hospitals.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { useZoneOf } from "../rules/use-patient.ts";
import { useMe } from "../session/use-session.ts";
import { announce } from "../shell/announcer.tsx";
import { changeDevice, type Device, listDeviceAlarms, readDevice, retireDevice } from "./api.ts";
import { ClaimCodeCard } from "./claim-code.tsx";
import { DeviceBinding } from "./device-binding.tsx";
import { DeviceCredentials } from "./device-credentials.tsx";
import { asSent, called, calledErrors, calledLabels, DeviceFields } from "./device-fields.tsx";
import classes from "./devices.module.css";

type Versioned = { data: Device; etag: string };

export function DevicePage() {
  const say = useSay();
  const { deviceId = "" } = useParams({ strict: false });
  const query = useQuery({ queryKey: ["devices", "one", deviceId], queryFn: () => readDevice(deviceId) });
  // People name devices after people: the window does not say how.
  return (
    <Page title={query.data?.data.name ?? say("devices.device")} windowTitle={say("devices.device")}>
      <Query query={query}>{(found) => <Parts {...found} />}</Query>
    </Page>
  );
}

function Parts({ data: device, etag }: Versioned) {
  const say = useSay();
  const { role } = useMe();
  const zone = useZoneOf(device.hospital_id);
  const mayManage = role !== "doctor";
  return (
    <>
      {!device.is_active && <p className={classes.warning}>{say("devices.retired_note")}</p>}
      <Details data={device} etag={etag} mayManage={mayManage} zone={zone} />
      <DeviceBinding device={device} mayManage={mayManage} zone={zone} />
      <Alarms device={device} zone={zone} />
      {mayManage && <DeviceCredentials device={device} zone={zone} />}
      {mayManage && device.is_active && <ClaimCodeCard device={device} />}
    </>
  );
}

function Details({ data: device, etag, mayManage, zone }: Versioned & { mayManage: boolean; zone: string | undefined }) {
  const say = useSay();
  const client = useQueryClient();
  const hospitalName = useHospitalName();
  const [open, setOpen] = useState<"edit" | "retire" | "restore" | null>(null);
  const close = () => setOpen(null);
  const done = async (text: string) => {
    await client.invalidateQueries({ queryKey: ["devices"] });
    announce(text);
  };
  const retire = async () => {
    await retireDevice(device.device_id, etag);
    await done(say("devices.retired_note"));
  };
  const restore = async () => {
    await changeDevice(device.device_id, etag, { is_active: true });
    await done(say("devices.restored"));
  };
  const actions = mayManage && (
    <Group gap="xs">
      <Button variant="default" onClick={() => setOpen("edit")}>
        {say("devices.edit")}
      </Button>
      <Button variant="default" onClick={() => setOpen(device.is_active ? "retire" : "restore")}>
        {say(device.is_active ? "devices.retire" : "devices.restore")}
      </Button>
    </Group>
  );
  return (
    <Card title={say("devices.details")} actions={actions || undefined}>
      <Facts
        items={[
          [say("devices.kind"), sayOf("devices.kind", device.kind)],
          [say("devices.serial"), device.serial_number],
          [say("devices.manufacturer"), device.manufacturer],
          [say("devices.model"), device.model],
          [say("devices.hospital"), hospitalName(device.hospital_id)],
          [say("devices.service"), say(device.is_active ? "devices.in_service" : "devices.out_of_service")],
          [say("devices.added"), date(device.created_at, zone)],
        ]}
      />
      {open === "edit" && <EditDialog data={device} etag={etag} onClose={close} />}
      {open === "retire" && (
        <Confirm
          title={say("devices.retire_question", { name: device.name })}
          act={say("devices.retire")}
          onConfirm={retire}
          onClose={close}
        >
          <p>{say("devices.retire_text")}</p>
        </Confirm>
      )}
      {open === "restore" && (
        <Confirm title={device.name} act={say("devices.restore")} risky={false} onConfirm={restore} onClose={close} />
      )}
    </Card>
  );
}

function EditDialog({ data: device, etag, onClose }: Versioned & { onClose: () => void }) {
  const say = useSay();
  const client = useQueryClient();
  const [value, setValue] = useState(called(device));
  const save = async () => {
    await changeDevice(device.device_id, etag, asSent(value));
    await client.invalidateQueries({ queryKey: ["devices"] });
    announce(say("devices.saved"));
    onClose();
  };
  return (
    <Dialog title={say("devices.edit_title")} onClose={onClose}>
      <Form
        submit={say("common.save")}
        check={() => calledErrors(value)}
        onSubmit={save}
        onCancel={onClose}
        labels={calledLabels()}
      >
        {(field) => <DeviceFields value={value} onChange={setValue} field={field} />}
      </Form>
    </Dialog>
  );
}

function Alarms({ device, zone }: { device: Device; zone: string | undefined }) {
  const say = useSay();
  const query = useQuery({
    queryKey: ["devices", "alarms", device.device_id],
    queryFn: () => listDeviceAlarms(device.device_id),
    refetchInterval: 30_000,
  });
  return (
    <Card title={say("devices.alarms")}>
      <Query query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{say("devices.no_alarms")}</Empty>
          ) : (
            <ul>
              {items.map((alert) => (
                <li key={alert.alert_id}>
                  <Link to="/alarms/$alertId" params={{ alertId: alert.alert_id }}>
                    <PriorityBadge priority={shownAs(alert)} /> {whatOf(alert)} · {dateTime(alert.raised_at, zone)}
                  </Link>
                </li>
              ))}
            </ul>
          )
        }
      </Query>
    </Card>
  );
}
