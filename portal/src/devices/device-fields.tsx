// What a device is called: fields that registering and editing share.
import { TextInput } from "@mantine/core";
import type { FieldErrors } from "../design/form.tsx";
import { type PlainKey, say, useSay } from "../messages/index.ts";
import type { Device } from "./api.ts";

const NAMES = ["name", "manufacturer", "model", "serial_number"] as const;
type Name = (typeof NAMES)[number];
export type Called = Record<Name, string>;

const LABELS: Record<Name, PlainKey> = {
  name: "devices.name",
  manufacturer: "devices.manufacturer",
  model: "devices.model",
  serial_number: "devices.serial",
};

export const called = (device?: Device): Called => ({
  name: device?.name ?? "",
  manufacturer: device?.manufacturer ?? "",
  model: device?.model ?? "",
  serial_number: device?.serial_number ?? "",
});

const orNull = (text: string) => text.trim() || null;
export const asSent = ({ name, manufacturer, model, serial_number }: Called) => ({
  name: name.trim(),
  manufacturer: orNull(manufacturer),
  model: orNull(model),
  serial_number: orNull(serial_number),
});

export const calledErrors = ({ name }: Called): FieldErrors => (name.trim() === "" ? { name: say("common.required") } : {});
export const calledLabels = (): Record<string, string> => Object.fromEntries(NAMES.map((name) => [name, say(LABELS[name])]));

type FieldsProps = {
  value: Called;
  onChange: (value: Called) => void;
  field: (path: string) => { id: string; error: string | undefined };
};

export function DeviceFields({ value, onChange, field }: FieldsProps) {
  useSay();
  return NAMES.map((name) => (
    <TextInput
      key={name}
      {...field(name)}
      label={say(LABELS[name])}
      withAsterisk={name === "name"}
      autoComplete="off"
      maxLength={120}
      value={value[name]}
      onChange={({ currentTarget }) => onChange({ ...value, [name]: currentTarget.value })}
    />
  ));
}
