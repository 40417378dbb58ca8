// Hospital selection for platform administrators, who work for all hospitals.
import { NativeSelect } from "@mantine/core";
import { useMe } from "../../accounts/session/use-session.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import { useHospitals } from "./use-hospitals.ts";

type HospitalSelectProps = {
  id?: string;
  error?: string | undefined;
  value: string;
  onChange: (hospitalId: string) => void;
  /** Label of the empty option: "all" in a filter, a prompt in a form. */
  emptyLabel: string;
};

export function HospitalSelect({ value, onChange, emptyLabel, ...input }: HospitalSelectProps) {
  const t = useTranslation();
  const hospitals = useHospitals();
  if (useMe().role !== "admin") return null;
  const selectable = (hospitals.data ?? []).filter((hospital) => hospital.is_active || hospital.hospital_id === value);
  return (
    <NativeSelect
      {...input}
      label={t("hospitals.hospital")}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      data={[
        { value: "", label: emptyLabel },
        ...selectable.map(({ hospital_id, name }) => ({ value: hospital_id, label: name })),
      ]}
    />
  );
}
