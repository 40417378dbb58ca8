// Registers a device of a hospital.
import { NativeSelect } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Dialog } from "../design/dialog.tsx";
import { Form } from "../design/form.tsx";
import { useHospitals } from "../hospitals/use-hospitals.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { announce } from "../shell/announcer.tsx";
import { createDevice, isKind, KINDS, type Kind } from "./api.ts";
import { asSent, called, calledErrors, calledLabels, DeviceFields } from "./device-fields.tsx";
import { useOnce } from "./use-once.ts";

export function NewDeviceDialog({ hospitalId, onClose }: { hospitalId: string | undefined; onClose: () => void }) {
  const say = useSay();
  const client = useQueryClient();
  const navigate = useNavigate();
  // A platform's administrator says whose it is; for others the API knows.
  const needsHospital = useMe().hospital === null;
  const { data: hospitals = [] } = useHospitals();
  const [hospital, setHospital] = useState(hospitalId ?? "");
  const [kind, setKind] = useState<Kind>("bedside_monitor");
  const [value, setValue] = useState(called());
  const keyOf = useOnce();
  const check = () => ({
    ...(needsHospital && hospital === "" && { hospital_id: say("common.required_choice") }),
    ...calledErrors(value),
  });
  const save = async () => {
    const device = { kind, ...asSent(value), ...(needsHospital && { hospital_id: hospital }) };
    const { device_id, name } = await createDevice(device, keyOf(device));
    void client.invalidateQueries({ queryKey: ["devices"] });
    announce(say("devices.registered", { name }));
    await navigate({ to: "/devices/$deviceId", params: { deviceId: device_id } });
  };
  return (
    <Dialog title={say("devices.new")} onClose={onClose}>
      <Form
        submit={say("devices.register")}
        check={check}
        onSubmit={save}
        onCancel={onClose}
        labels={{ ...calledLabels(), hospital_id: say("devices.hospital"), kind: say("devices.kind") }}
      >
        {(field) => (
          <>
            {needsHospital && (
              <NativeSelect
                {...field("hospital_id")}
                label={say("devices.hospital")}
                withAsterisk
                data={[
                  { value: "", label: say("devices.choose_hospital") },
                  ...hospitals.map(({ hospital_id, name }) => ({ value: hospital_id, label: name })),
                ]}
                value={hospital}
                onChange={({ currentTarget }) => setHospital(currentTarget.value)}
              />
            )}
            <NativeSelect
              {...field("kind")}
              label={say("devices.kind")}
              data={KINDS.map((one) => ({ value: one, label: sayOf("devices.kind", one) }))}
              value={kind}
              onChange={({ currentTarget: { value: next } }) => isKind(next) && setKind(next)}
            />
            <DeviceFields value={value} onChange={setValue} field={field} />
          </>
        )}
      </Form>
    </Dialog>
  );
}
