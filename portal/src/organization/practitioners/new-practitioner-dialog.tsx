// Dialog to create a profile for a doctor or nurse who has none at the hospital.
import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useMe } from "../../accounts/session/use-session.ts";
import { fetchAllPages } from "../../platform/api/fetch-all-pages.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { Dialog } from "../../platform/design/dialog.tsx";
import { type FieldErrors, validateRequired } from "../../platform/design/form.tsx";
import { ActionError } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { listAllMembers } from "../hospitals/api.ts";
import { HospitalSelect } from "../hospitals/hospital-select.tsx";
import { createPractitioner, listPractitioners } from "./api.ts";
import { PractitionerForm } from "./practitioner-form.tsx";

async function listMembersWithoutProfile(hospital_id: string) {
  const [members, profiles] = await Promise.all([
    listAllMembers(hospital_id),
    fetchAllPages((cursor) => listPractitioners({ hospital_id }, cursor)),
  ]);
  const userIdsWithProfile = new Set(profiles.items.map(({ user_id }) => user_id));
  return members.filter(
    ({ user_id, role, is_active }) => is_active && role !== "hospital_admin" && !userIdsWithProfile.has(user_id),
  );
}

export function NewPractitionerDialog({ onClose }: { onClose: () => void }) {
  const t = useTranslation();
  const me = useMe();
  const isAdmin = me.role === "admin";
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [hospitalId, setHospitalId] = useState(isAdmin ? "" : (me.hospital?.id ?? ""));
  const [userId, setUserId] = useState("");
  const candidates = useQuery({
    queryKey: ["admin", "practitioners", "without", hospitalId],
    queryFn: () => listMembersWithoutProfile(hospitalId),
    enabled: hospitalId !== "",
  });
  const validate = (): FieldErrors => ({
    ...validateRequired({ user_id: userId }),
    ...(hospitalId === "" && { hospital_id: t("common.required_choice") }),
  });
  const hasNoCandidates = candidates.data?.length === 0;
  return (
    <Dialog title={t("practitioners.new")} onClose={onClose}>
      <p>{t("practitioners.new_text")}</p>
      <ActionError error={candidates.error} />
      <PractitionerForm
        submitLabel={t("practitioners.new")}
        validate={validate}
        onCancel={onClose}
        onSubmit={async (profile) => {
          const owner = { user_id: userId, ...(isAdmin && { hospital_id: hospitalId }) };
          await createPractitioner({ ...profile, ...owner }, idempotencyKey);
          void queryClient.invalidateQueries({ queryKey: ["admin", "practitioners"] });
          onClose();
        }}
      >
        {(field) => (
          <>
            <HospitalSelect
              {...field("hospital_id")}
              value={hospitalId}
              onChange={(id) => {
                setHospitalId(id);
                setUserId("");
              }}
              emptyLabel={t("practitioners.choose_hospital")}
            />
            <NativeSelect
              {...field("user_id")}
              label={t("practitioners.person")}
              {...(hasNoCandidates && { description: t("practitioners.nobody") })}
              value={userId}
              onChange={(event) => setUserId(event.target.value)}
              disabled={!candidates.data || hasNoCandidates}
              data={[
                { value: "", label: t("practitioners.choose") },
                ...(candidates.data ?? []).map(({ user_id, full_name, role }) => ({
                  value: user_id,
                  label: `${full_name} · ${translateCode("role", role)}`,
                })),
              ]}
            />
          </>
        )}
      </PractitionerForm>
    </Dialog>
  );
}
