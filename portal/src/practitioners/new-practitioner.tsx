// A profile for somebody who works at a hospital as doctor or nurse and has none there yet.
import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { allPages } from "../api/all-pages.ts";
import { queries } from "../api/queries.ts";
import { Dialog } from "../design/dialog.tsx";
import { type FieldErrors, requiredIn } from "../design/form.tsx";
import { NotDone } from "../design/states.tsx";
import { everyMember } from "../hospitals/api.ts";
import { HospitalSelect } from "../hospitals/hospital-select.tsx";
import { sayOf, useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { createPractitioner, listPractitioners } from "./api.ts";
import { PractitionerForm } from "./practitioner-form.tsx";

async function withoutProfile(hospital_id: string) {
  const [members, profiles] = await Promise.all([
    everyMember(hospital_id),
    allPages((cursor) => listPractitioners({ hospital_id }, cursor)),
  ]);
  const known = new Set(profiles.items.map(({ user_id }) => user_id));
  return members.filter(({ user_id, role, is_active }) => is_active && role !== "hospital_admin" && !known.has(user_id));
}

export function NewPractitioner({ onClose }: { onClose: () => void }) {
  const say = useSay();
  const me = useMe();
  const isAdmin = me.role === "admin";
  const [key] = useState(() => crypto.randomUUID());
  const [hospitalId, setHospitalId] = useState(isAdmin ? "" : (me.hospital?.id ?? ""));
  const [userId, setUserId] = useState("");
  const people = useQuery({
    queryKey: ["admin", "practitioners", "without", hospitalId],
    queryFn: () => withoutProfile(hospitalId),
    enabled: hospitalId !== "",
  });
  const check = (): FieldErrors => ({
    ...requiredIn({ user_id: userId }),
    ...(hospitalId === "" && { hospital_id: say("common.required_choice") }),
  });
  const nobody = people.data?.length === 0;
  return (
    <Dialog title={say("practitioners.new")} onClose={onClose}>
      <p>{say("practitioners.new_text")}</p>
      <NotDone error={people.error} />
      <PractitionerForm
        submit={say("practitioners.new")}
        check={check}
        onCancel={onClose}
        onSubmit={async (told) => {
          const whose = { user_id: userId, ...(isAdmin && { hospital_id: hospitalId }) };
          await createPractitioner({ ...told, ...whose }, key);
          void queries.invalidateQueries({ queryKey: ["admin", "practitioners"] });
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
              none={say("practitioners.choose_hospital")}
            />
            <NativeSelect
              {...field("user_id")}
              label={say("practitioners.person")}
              {...(nobody && { description: say("practitioners.nobody") })}
              value={userId}
              onChange={(event) => setUserId(event.target.value)}
              disabled={!people.data || nobody}
              data={[
                { value: "", label: say("practitioners.choose") },
                ...(people.data ?? []).map(({ user_id, full_name, role }) => ({
                  value: user_id,
                  label: `${full_name} · ${sayOf("role", role)}`,
                })),
              ]}
            />
          </>
        )}
      </PractitionerForm>
    </Dialog>
  );
}
