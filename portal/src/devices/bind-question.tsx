// The last question before a device is bound: which device, and whose it becomes, by name, number and date of birth.
import { useQueryClient } from "@tanstack/react-query";
import { Confirm } from "../design/confirm.tsx";
import layout from "../design/layout.module.css";
import { date } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import { nameOf } from "../patients/api.ts";
import { announce } from "../shell/announcer.tsx";
import { bindDevice, type Device } from "./api.ts";
import classes from "./devices.module.css";
import { useOnce } from "./use-once.ts";

export type Identity = {
  patient_id: string;
  patient_number: number;
  first_name: string;
  last_name: string | null;
  date_of_birth: string | null;
};

type BindQuestionProps = {
  device: Pick<Device, "device_id" | "name" | "patient_id">;
  patient: Identity;
  /** After it was bound. */
  onBound: () => void;
  onClose: () => void;
};

export function BindQuestion({ device, patient, onBound, onClose }: BindQuestionProps) {
  const say = useSay();
  const client = useQueryClient();
  const keyOf = useOnce();
  const { device_id, name } = device;
  const bind = async () => {
    await bindDevice(device_id, patient.patient_id, keyOf([device_id, patient.patient_id]));
    await client.invalidateQueries({ queryKey: ["devices"] });
    announce(say("devices.bound"));
    onBound();
  };
  return (
    <Confirm
      title={say("devices.bind_question", { name })}
      act={say("devices.bind_act")}
      risky={false}
      onConfirm={bind}
      onClose={onClose}
    >
      <dl className={`${layout.terms} ${classes.identity}`}>
        <div>
          <dt>{say("devices.patient_name")}</dt>
          <dd>{nameOf(patient)}</dd>
        </div>
        <div>
          <dt>{say("devices.patient_number")}</dt>
          <dd>{patient.patient_number}</dd>
        </div>
        <div>
          <dt>{say("devices.patient_born")}</dt>
          <dd>{patient.date_of_birth ? date(patient.date_of_birth, "UTC") : say("common.unknown")}</dd>
        </div>
      </dl>
      {device.patient_id !== null && device.patient_id !== patient.patient_id && (
        <p className={classes.warning}>{say("devices.bind_moves")}</p>
      )}
      <p>{say("devices.bind_text", { name })}</p>
    </Confirm>
  );
}
