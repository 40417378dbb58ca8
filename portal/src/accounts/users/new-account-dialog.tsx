// Dialog to create an account with an initial password, when an invitation is not possible.
import { PasswordInput, TextInput } from "@mantine/core";
import { useState } from "react";
import type { StaffRole } from "../../organization/hospitals/api.ts";
import { HospitalSelect } from "../../organization/hospitals/hospital-select.tsx";
import { RoleSelect } from "../../organization/hospitals/role-select.tsx";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { Dialog } from "../../platform/design/dialog.tsx";
import { type FieldErrors, Form, validateRequired } from "../../platform/design/form.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { useMe } from "../session/use-session.ts";
import { createUser } from "./api.ts";

const MIN_PASSWORD_LENGTH = 15;

export function NewAccountDialog({ onClose, onCreated }: { onClose: () => void; onCreated: () => void }) {
  const t = useTranslation();
  const isAdmin = useMe().role === "admin";
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [input, setInput] = useState({ full_name: "", email: "", username: "", password: "", hospital_id: "" });
  const [role, setRole] = useState<StaffRole>("nurse");
  const updateInput = (change: Partial<typeof input>) => setInput({ ...input, ...change });
  const { full_name, email, username, password, hospital_id } = input;
  const validate = (): FieldErrors => ({
    ...(Array.from(password).length < MIN_PASSWORD_LENGTH && { password: t("users.password_short") }),
    ...validateRequired({ full_name, email, password }),
    ...(isAdmin && hospital_id === "" && { hospital_id: t("common.required_choice") }),
  });
  async function submit() {
    const account = {
      full_name: full_name.trim(),
      email: email.trim(),
      password,
      role,
      ...(username.trim() && { username: username.trim() }),
      ...(hospital_id && { hospital_id }),
    };
    const errorMessages = { registration_refused: t("users.taken"), weak_password: t("session.weak_password") };
    await withErrorMessages(createUser(account, idempotencyKey), errorMessages);
    onCreated();
  }
  return (
    <Dialog title={t("users.create_title")} onClose={onClose}>
      <p>{t("users.create_text")}</p>
      <Form
        submitLabel={t("users.create")}
        validate={validate}
        onSubmit={submit}
        onCancel={onClose}
        labels={{
          full_name: t("users.full_name"),
          email: t("users.email"),
          username: t("users.username"),
          password: t("users.password"),
          hospital_id: t("hospitals.hospital"),
        }}
      >
        {(field) => (
          <>
            <TextInput
              {...field("full_name")}
              label={t("users.full_name")}
              value={full_name}
              onChange={(event) => updateInput({ full_name: event.target.value })}
              autoComplete="off"
              data-autofocus
            />
            <TextInput
              {...field("email")}
              type="email"
              label={t("users.email")}
              value={email}
              onChange={(event) => updateInput({ email: event.target.value })}
              autoComplete="off"
            />
            <TextInput
              {...field("username")}
              label={t("users.username")}
              description={t("users.username_hint")}
              value={username}
              onChange={(event) => updateInput({ username: event.target.value })}
              autoComplete="off"
            />
            <PasswordInput
              {...field("password")}
              label={t("users.password")}
              description={t("users.password_hint")}
              value={password}
              onChange={(event) => updateInput({ password: event.target.value })}
              autoComplete="new-password"
              visibilityToggleButtonProps={{ "aria-label": t("session.show_password") }}
            />
            <RoleSelect {...field("role")} value={role} onChange={setRole} />
            <HospitalSelect
              {...field("hospital_id")}
              value={hospital_id}
              onChange={(id) => updateInput({ hospital_id: id })}
              emptyLabel={t("users.choose_hospital")}
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}
