// Dialog to register a device at a hospital.
import { NativeSelect } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { useHospitals } from "../organization/hospitals/use-hospitals.ts";
import { Dialog } from "../platform/design/dialog.tsx";
import { Form } from "../platform/design/form.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { announce } from "../shell/announcer.tsx";
import { createDevice, DEVICE_KINDS, type DeviceKind, isDeviceKind } from "./api.ts";
import { DeviceFields, deviceFieldLabels, toDeviceBody, toDeviceInput, validateDeviceInput } from "./device-fields.tsx";
import { useIdempotencyKey } from "./use-idempotency-key.ts";

export function NewDeviceDialog({ hospitalId, onClose }: { hospitalId: string | undefined; onClose: () => void }) {
  const t = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  // Platform administrators choose the hospital; for all others the API knows it.
  const needsHospital = useMe().hospital === null;
  const { data: hospitals = [] } = useHospitals();
  const [hospital, setHospital] = useState(hospitalId ?? "");
  const [kind, setKind] = useState<DeviceKind>("bedside_monitor");
  const [value, setValue] = useState(toDeviceInput());
  const keyFor = useIdempotencyKey();
  const validate = () => ({
    ...(needsHospital && hospital === "" && { hospital_id: t("common.required_choice") }),
    ...validateDeviceInput(value),
  });
  const save = async () => {
    const device = { kind, ...toDeviceBody(value), ...(needsHospital && { hospital_id: hospital }) };
    const { device_id, name } = await createDevice(device, keyFor(device));
    void client.invalidateQueries({ queryKey: ["devices"] });
    announce(t("devices.registered", { name }));
    await navigate({ to: "/devices/$deviceId", params: { deviceId: device_id } });
  };
  return (
    <Dialog title={t("devices.new")} onClose={onClose}>
      <Form
        submitLabel={t("devices.register")}
        validate={validate}
        onSubmit={save}
        onCancel={onClose}
        labels={{ ...deviceFieldLabels(), hospital_id: t("devices.hospital"), kind: t("devices.kind") }}
      >
        {(field) => (
          <>
            {needsHospital && (
              <NativeSelect
                {...field("hospital_id")}
                label={t("devices.hospital")}
                withAsterisk
                data={[
                  { value: "", label: t("devices.choose_hospital") },
                  ...hospitals.map(({ hospital_id, name }) => ({ value: hospital_id, label: name })),
                ]}
                value={hospital}
                onChange={({ currentTarget }) => setHospital(currentTarget.value)}
              />
            )}
            <NativeSelect
              {...field("kind")}
              label={t("devices.kind")}
              data={DEVICE_KINDS.map((deviceKind) => ({ value: deviceKind, label: translateCode("devices.kind", deviceKind) }))}
              value={kind}
              onChange={({ currentTarget: { value: nextKind } }) => isDeviceKind(nextKind) && setKind(nextKind)}
            />
            <DeviceFields value={value} onChange={setValue} field={field} />
          </>
        )}
      </Form>
    </Dialog>
  );
}
