// Fields shared by registering and editing a device.
import { TextInput } from "@mantine/core";
import type { FieldErrors } from "../platform/design/form.tsx";
import { type PlainMessageKey, t, useTranslation } from "../platform/messages/translate.ts";
import type { Device } from "./api.ts";

const FIELD_NAMES = ["name", "manufacturer", "model", "serial_number"] as const;
type FieldName = (typeof FIELD_NAMES)[number];
export type DeviceInput = Record<FieldName, string>;

const LABELS: Record<FieldName, PlainMessageKey> = {
  name: "devices.name",
  manufacturer: "devices.manufacturer",
  model: "devices.model",
  serial_number: "devices.serial",
};

export const toDeviceInput = (device?: Device): DeviceInput => ({
  name: device?.name ?? "",
  manufacturer: device?.manufacturer ?? "",
  model: device?.model ?? "",
  serial_number: device?.serial_number ?? "",
});

const emptyToNull = (text: string) => text.trim() || null;
export const toDeviceBody = ({ name, manufacturer, model, serial_number }: DeviceInput) => ({
  name: name.trim(),
  manufacturer: emptyToNull(manufacturer),
  model: emptyToNull(model),
  serial_number: emptyToNull(serial_number),
});

export const validateDeviceInput = ({ name }: DeviceInput): FieldErrors =>
  name.trim() === "" ? { name: t("common.required") } : {};
export const deviceFieldLabels = (): Record<string, string> =>
  Object.fromEntries(FIELD_NAMES.map((name) => [name, t(LABELS[name])]));

type FieldsProps = {
  value: DeviceInput;
  onChange: (value: DeviceInput) => void;
  field: (path: string) => { id: string; error: string | undefined };
};

export function DeviceFields({ value, onChange, field }: FieldsProps) {
  useTranslation();
  return FIELD_NAMES.map((name) => (
    <TextInput
      key={name}
      {...field(name)}
      label={t(LABELS[name])}
      withAsterisk={name === "name"}
      autoComplete="off"
      maxLength={120}
      value={value[name]}
      onChange={({ currentTarget }) => onChange({ ...value, [name]: currentTarget.value })}
    />
  ));
}
