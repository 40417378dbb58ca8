// Which hospital: asked of administrators of the platform, who work for all of them.
import { NativeSelect } from "@mantine/core";
import { useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { useHospitals } from "./use-hospitals.ts";

type HospitalSelectProps = {
  id?: string;
  error?: string | undefined;
  value: string;
  onChange: (hospitalId: string) => void;
  /** What no choice means: everything in a filter, a question in a form. */
  none: string;
};

export function HospitalSelect({ value, onChange, none, ...input }: HospitalSelectProps) {
  const say = useSay();
  const hospitals = useHospitals();
  if (useMe().role !== "admin") return null;
  const open = (hospitals.data ?? []).filter((hospital) => hospital.is_active || hospital.hospital_id === value);
  return (
    <NativeSelect
      {...input}
      label={say("hospitals.hospital")}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      data={[{ value: "", label: none }, ...open.map(({ hospital_id, name }) => ({ value: hospital_id, label: name }))]}
    />
  );
}
