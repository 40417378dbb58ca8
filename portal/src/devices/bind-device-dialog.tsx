// Confirmation before a device is assigned: device and patient, with name, number and date of birth.
import { useQueryClient } from "@tanstack/react-query";
import { getFullName } from "../patients/api.ts";
import { formatBirthDate } from "../patients/patient-age.ts";
import { ConfirmDialog } from "../platform/design/confirm-dialog.tsx";
import layout from "../platform/design/layout.module.css";
import { useTranslation } from "../platform/messages/translate.ts";
import { announce } from "../shell/announcer.tsx";
import { bindDevice, type Device } from "./api.ts";
import classes from "./devices.module.css";
import { useIdempotencyKey } from "./use-idempotency-key.ts";

export type PatientIdentity = {
  patient_id: string;
  patient_number: number;
  first_name: string;
  last_name: string | null;
  date_of_birth: string | null;
};

type BindDeviceDialogProps = {
  device: Pick<Device, "device_id" | "name" | "patient_id">;
  patient: PatientIdentity;
  /** Called after the assignment. */
  onBound: () => void;
  onClose: () => void;
};

export function BindDeviceDialog({ device, patient, onBound, onClose }: BindDeviceDialogProps) {
  const t = useTranslation();
  const client = useQueryClient();
  const keyFor = useIdempotencyKey();
  const { device_id, name } = device;
  const bind = async () => {
    await bindDevice(device_id, patient.patient_id, keyFor([device_id, patient.patient_id]));
    await client.invalidateQueries({ queryKey: ["devices"] });
    announce(t("devices.bound"));
    onBound();
  };
  return (
    <ConfirmDialog
      title={t("devices.bind_question", { name })}
      confirmLabel={t("devices.bind_act")}
      isDangerous={false}
      onConfirm={bind}
      onClose={onClose}
    >
      <dl className={`${layout.terms} ${classes.identity}`}>
        <div>
          <dt>{t("devices.patient_name")}</dt>
          <dd>{getFullName(patient)}</dd>
        </div>
        <div>
          <dt>{t("devices.patient_number")}</dt>
          <dd>{patient.patient_number}</dd>
        </div>
        <div>
          <dt>{t("devices.patient_born")}</dt>
          <dd>{patient.date_of_birth ? formatBirthDate(patient.date_of_birth) : t("common.unknown")}</dd>
        </div>
      </dl>
      {device.patient_id !== null && device.patient_id !== patient.patient_id && (
        <p className={classes.warning}>{t("devices.bind_moves")}</p>
      )}
      <p>{t("devices.bind_text", { name })}</p>
    </ConfirmDialog>
  );
}
