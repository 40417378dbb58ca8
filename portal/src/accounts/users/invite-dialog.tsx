// Dialog to invite staff: e-mail, role, then the link, shown once.
import { TextInput } from "@mantine/core";
import { useState } from "react";
import type { StaffRole } from "../../organization/hospitals/api.ts";
import { HospitalSelect } from "../../organization/hospitals/hospital-select.tsx";
import { RoleSelect } from "../../organization/hospitals/role-select.tsx";
import { queryClient } from "../../platform/api/query-client.ts";
import { Dialog } from "../../platform/design/dialog.tsx";
import { type FieldErrors, Form, validateRequired } from "../../platform/design/form.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import { OneTimeSecretDialog } from "../../platform/design/one-time-secret-dialog.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { useMe } from "../session/use-session.ts";
import { createInvitation } from "./api.ts";

type CreatedInvitation = Awaited<ReturnType<typeof createInvitation>>;

export function InviteDialog({ zone, onClose }: { zone: string | undefined; onClose: () => void }) {
  const t = useTranslation();
  const isAdmin = useMe().role === "admin";
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState<StaffRole>("nurse");
  const [hospitalId, setHospitalId] = useState("");
  const [createdInvitation, setCreatedInvitation] = useState<CreatedInvitation | null>(null);
  if (createdInvitation) {
    return (
      <OneTimeSecretDialog
        title={t("users.invited")}
        label={t("users.invitation_link")}
        value={createdInvitation.url}
        onClose={onClose}
      >
        <p>{t("users.invitation_once", { email: email.trim(), time: formatDateTime(createdInvitation.expires_at, zone) })}</p>
      </OneTimeSecretDialog>
    );
  }
  const validate = (): FieldErrors => ({
    ...validateRequired({ email }),
    ...(isAdmin && hospitalId === "" && { hospital_id: t("common.required_choice") }),
  });
  async function submit() {
    const invitation = {
      email: email.trim(),
      role,
      ...(name.trim() && { full_name: name.trim() }),
      ...(hospitalId && { hospital_id: hospitalId }),
    };
    setCreatedInvitation(await createInvitation(invitation, idempotencyKey));
    void queryClient.invalidateQueries({ queryKey: ["admin", "invitations"] });
  }
  return (
    <Dialog title={t("users.invite_title")} onClose={onClose}>
      <p>{t("users.invite_text")}</p>
      <Form
        submitLabel={t("users.invite")}
        validate={validate}
        onSubmit={submit}
        onCancel={onClose}
        labels={{
          email: t("users.email"),
          full_name: t("users.full_name"),
          hospital_id: t("hospitals.hospital"),
        }}
      >
        {(field) => (
          <>
            <TextInput
              {...field("email")}
              type="email"
              label={t("users.email")}
              value={email}
              onChange={(event) => setEmail(event.target.value)}
              autoComplete="off"
              data-autofocus
            />
            <TextInput
              {...field("full_name")}
              label={t("users.full_name")}
              value={name}
              onChange={(event) => setName(event.target.value)}
              autoComplete="off"
            />
            <RoleSelect {...field("role")} value={role} onChange={setRole} />
            <HospitalSelect
              {...field("hospital_id")}
              value={hospitalId}
              onChange={setHospitalId}
              emptyLabel={t("users.choose_hospital")}
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}
