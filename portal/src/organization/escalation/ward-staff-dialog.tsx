// Dialog with the staff who hear of a ward's alarms.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { Dialog } from "../../platform/design/dialog.tsx";
import { Form } from "../../platform/design/form.tsx";
import layout from "../../platform/design/layout.module.css";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import type { Ward } from "../hospitals/api.ts";
import { readWardStaff, type WardStaff, writeWardStaff } from "./api.ts";
import { PeoplePicker } from "./people-picker.tsx";

/** As the service admits them. */
const MAX_WARD_STAFF = 100;

type WardStaffDialogProps = { ward: Ward; onChanged: () => Promise<unknown>; onClose: () => void };

export function WardStaffDialog({ ward, onChanged, onClose }: WardStaffDialogProps) {
  const t = useTranslation();
  const query = useQuery({
    queryKey: ["wards", "staff", ward.ward_id],
    queryFn: () => readWardStaff(ward.ward_id),
    staleTime: 0,
  });
  return (
    <Dialog title={t("escalation.staff_title", { name: ward.name })} onClose={onClose}>
      <QueryBoundary query={query}>
        {(staff) => <WardStaffForm key={staff.version} staff={staff} onChanged={onChanged} onClose={onClose} />}
      </QueryBoundary>
    </Dialog>
  );
}

function WardStaffForm({ staff, onChanged, onClose }: { staff: WardStaff } & Omit<WardStaffDialogProps, "ward">) {
  const t = useTranslation();
  const [userIds, setUserIds] = useState(staff.people.map(({ user_id }) => user_id));
  const save = async () => {
    const messages = { precondition_failed: t("wards.changed_meanwhile") };
    await withErrorMessages(writeWardStaff(staff, userIds), messages).finally(onChanged);
    onClose();
  };
  const excluded = staff.people.filter(({ alarm_scope }) => alarm_scope === "nobody");
  return (
    <Form submitLabel={t("common.save")} onCancel={onClose} onSubmit={save} labels={{ user_ids: t("escalation.staff") }}>
      {(field) => (
        <>
          <PeoplePicker
            id={field("user_ids").id}
            label={t("escalation.staff")}
            hospitalId={staff.hospital_id}
            userIds={userIds}
            known={staff.people}
            max={MAX_WARD_STAFF}
            onChange={setUserIds}
          />
          <p className={layout.note}>{t("escalation.staff_hint")}</p>
          {excluded.map(({ user_id, full_name }) => (
            <p key={user_id}>{t("escalation.not_notified", { name: full_name })}</p>
          ))}
        </>
      )}
    </Form>
  );
}
