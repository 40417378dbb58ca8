// Invites somebody: to whom, as what, and then the link, this once.
import { TextInput } from "@mantine/core";
import { useState } from "react";
import { queries } from "../api/queries.ts";
import { Dialog } from "../design/dialog.tsx";
import { type FieldErrors, Form, requiredIn } from "../design/form.tsx";
import { ShownOnce } from "../design/shown-once.tsx";
import { dateTime } from "../design/time.ts";
import type { StaffRole } from "../hospitals/api.ts";
import { HospitalSelect } from "../hospitals/hospital-select.tsx";
import { RoleSelect } from "../hospitals/role-select.tsx";
import { useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { invite } from "./api.ts";

type Sent = Awaited<ReturnType<typeof invite>>;

export function Invite({ zone, onClose }: { zone: string | undefined; onClose: () => void }) {
  const say = useSay();
  const isAdmin = useMe().role === "admin";
  const [key] = useState(() => crypto.randomUUID());
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState<StaffRole>("nurse");
  const [hospitalId, setHospitalId] = useState("");
  const [sent, setSent] = useState<Sent | null>(null);
  if (sent) {
    return (
      <ShownOnce title={say("users.invited")} label={say("users.invitation_link")} value={sent.url} onClose={onClose}>
        <p>{say("users.invitation_once", { email: email.trim(), time: dateTime(sent.expires_at, zone) })}</p>
      </ShownOnce>
    );
  }
  const check = (): FieldErrors => ({
    ...requiredIn({ email }),
    ...(isAdmin && hospitalId === "" && { hospital_id: say("common.required_choice") }),
  });
  async function send() {
    const invitation = {
      email: email.trim(),
      role,
      ...(name.trim() && { full_name: name.trim() }),
      ...(hospitalId && { hospital_id: hospitalId }),
    };
    setSent(await invite(invitation, key));
    void queries.invalidateQueries({ queryKey: ["admin", "invitations"] });
  }
  return (
    <Dialog title={say("users.invite_title")} onClose={onClose}>
      <p>{say("users.invite_text")}</p>
      <Form
        submit={say("users.invite")}
        check={check}
        onSubmit={send}
        onCancel={onClose}
        labels={{
          email: say("users.email"),
          full_name: say("users.full_name"),
          hospital_id: say("hospitals.hospital"),
        }}
      >
        {(field) => (
          <>
            <TextInput
              {...field("email")}
              type="email"
              label={say("users.email")}
              value={email}
              onChange={(event) => setEmail(event.target.value)}
              autoComplete="off"
              data-autofocus
            />
            <TextInput
              {...field("full_name")}
              label={say("users.full_name")}
              value={name}
              onChange={(event) => setName(event.target.value)}
              autoComplete="off"
            />
            <RoleSelect {...field("role")} value={role} onChange={setRole} />
            <HospitalSelect
              {...field("hospital_id")}
              value={hospitalId}
              onChange={setHospitalId}
              none={say("users.choose_hospital")}
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}
