// Devices that the patient registered: when each last sent data, registering another, removing one.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { createDevice, type Device, listDevices, retireDevice } from "../../devices/api.ts";
import { useIdempotencyKey } from "../../devices/use-idempotency-key.ts";
import { useServerNow } from "../../monitoring/live/use-live.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { Dialog } from "../../platform/design/dialog.tsx";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { formatAge } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import classes from "./me.module.css";

/** The kinds that the API takes from patients (src/devices/own-devices.ts). */
const OWN_KINDS = ["wearable", "ecg", "oxygen", "cpap", "bipap"] as const;
type OwnKind = (typeof OWN_KINDS)[number];

/** The devices that the patient registered. */
export const useOwnDevices = (patientId: string) =>
  useQuery({
    queryKey: ["devices", "own", patientId],
    queryFn: () => listDevices({ patient_id: patientId, active: "true" }, null),
    select: ({ items }) => items.filter(({ is_patient_owned }) => is_patient_owned),
  });

type OwnDevicesProps = { patientId: string; lastSeenAt: (deviceId: string) => number | null };

export function OwnDevices({ patientId, lastSeenAt }: OwnDevicesProps) {
  const t = useTranslation();
  const [isAdding, setAdding] = useState(false);
  const [removed, setRemoved] = useState<Device | null>(null);
  const query = useOwnDevices(patientId);
  return (
    <Card title={t("me.own_devices")}>
      <QueryBoundary query={query}>
        {(own) => {
          if (own.length === 0) return <p>{t("me.no_own_devices")}</p>;
          return (
            <ul className={`${layout.list} ${classes.list}`}>
              {own.map((device) => (
                <li key={device.device_id}>
                  <h3>{device.name}</h3>
                  <p>
                    {translateCode("devices.kind", device.kind)}
                    {" · "}
                    <LastData device={device} seenAt={lastSeenAt(device.device_id)} />
                  </p>
                  <Button
                    variant="default"
                    aria-label={t("me.remove_device_named", { name: device.name })}
                    onClick={() => setRemoved(device)}
                  >
                    {t("me.remove_device")}
                  </Button>
                </li>
              ))}
            </ul>
          );
        }}
      </QueryBoundary>
      <Button onClick={() => setAdding(true)}>{t("me.add_device")}</Button>
      {isAdding && <NewOwnDevice patientId={patientId} onClose={() => setAdding(false)} />}
      {removed && <RemoveOwnDevice device={removed} onClose={() => setRemoved(null)} />}
    </Card>
  );
}

function LastData({ device: { last_synced_at }, seenAt }: { device: Device; seenAt: number | null }) {
  const t = useTranslation();
  const now = useServerNow();
  const times = [seenAt, last_synced_at === null ? null : Date.parse(last_synced_at)].filter((time) => time !== null);
  if (times.length === 0) return t("me.never_heard");
  return t("me.last_heard", { age: t("common.ago", { age: formatAge(Math.max(0, now - Math.max(...times)) / 1000) }) });
}

function NewOwnDevice({ patientId, onClose }: { patientId: string; onClose: () => void }) {
  const t = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [kind, setKind] = useState<OwnKind>("wearable");
  const keyFor = useIdempotencyKey();
  const save = async () => {
    const device = { kind, name: name.trim(), patient_id: patientId };
    await createDevice(device, keyFor(device));
    await client.invalidateQueries({ queryKey: ["devices"] });
    announce(t("me.device_added", { name: device.name }));
    onClose();
  };
  const validate = (): FieldErrors => (name.trim() === "" ? { name: t("common.required") } : {});
  return (
    <Dialog title={t("me.add_device")} onClose={onClose}>
      <Form
        submitLabel={t("me.add_device")}
        validate={validate}
        onSubmit={save}
        onCancel={onClose}
        labels={{ name: t("devices.name"), kind: t("devices.kind") }}
      >
        {(field) => (
          <>
            <NativeSelect
              {...field("kind")}
              label={t("devices.kind")}
              data={OWN_KINDS.map((one) => ({ value: one, label: translateCode("devices.kind", one) }))}
              value={kind}
              onChange={({ currentTarget }) => setKind(OWN_KINDS.find((one) => one === currentTarget.value) ?? kind)}
            />
            <TextInput
              {...field("name")}
              label={t("devices.name")}
              withAsterisk
              autoComplete="off"
              maxLength={120}
              value={name}
              onChange={({ currentTarget }) => setName(currentTarget.value)}
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}

function RemoveOwnDevice({ device: { device_id, name, version }, onClose }: { device: Device; onClose: () => void }) {
  const t = useTranslation();
  const client = useQueryClient();
  const remove = async () => {
    await retireDevice(device_id, `"${version}"`);
    await client.invalidateQueries({ queryKey: ["devices"] });
    announce(t("me.device_removed", { name }));
  };
  return (
    <ConfirmDialog
      title={t("me.remove_question", { name })}
      confirmLabel={t("me.remove_device")}
      onConfirm={remove}
      onClose={onClose}
    >
      <p>{t("me.remove_text")}</p>
    </ConfirmDialog>
  );
}
