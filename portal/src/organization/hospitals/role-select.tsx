// Role selection.
import { NativeSelect } from "@mantine/core";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { isStaffRole, STAFF_ROLES, type StaffRole } from "./api.ts";

type RoleSelectProps = {
  id?: string;
  error?: string | undefined;
  value: StaffRole;
  onChange: (role: StaffRole) => void;
};

export function RoleSelect({ value, onChange, ...input }: RoleSelectProps) {
  const t = useTranslation();
  return (
    <NativeSelect
      {...input}
      label={t("hospitals.role")}
      value={value}
      onChange={({ target }) => isStaffRole(target.value) && onChange(target.value)}
      data={STAFF_ROLES.map((role) => ({ value: role, label: translateCode("role", role) }))}
    />
  );
}
