// What somebody is at a hospital.
import { NativeSelect } from "@mantine/core";
import { sayOf, useSay } from "../messages/index.ts";
import { isStaffRole, STAFF_ROLES, type StaffRole } from "./api.ts";

type RoleSelectProps = {
  id?: string;
  error?: string | undefined;
  value: StaffRole;
  onChange: (role: StaffRole) => void;
};

export function RoleSelect({ value, onChange, ...input }: RoleSelectProps) {
  const say = useSay();
  return (
    <NativeSelect
      {...input}
      label={say("hospitals.role")}
      value={value}
      onChange={({ target }) => isStaffRole(target.value) && onChange(target.value)}
      data={STAFF_ROLES.map((role) => ({ value: role, label: sayOf("role", role) }))}
    />
  );
}
