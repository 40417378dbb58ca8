// An account with a password that its owner did not choose: for who cannot take an invitation.
import { PasswordInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { explained } from "../api/problem.ts";
import { Dialog } from "../design/dialog.tsx";
import { type FieldErrors, Form, requiredIn } from "../design/form.tsx";
import type { StaffRole } from "../hospitals/api.ts";
import { HospitalSelect } from "../hospitals/hospital-select.tsx";
import { RoleSelect } from "../hospitals/role-select.tsx";
import { useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { createUser } from "./api.ts";

const SHORTEST = 15;

export function NewAccount({ onClose, onCreated }: { onClose: () => void; onCreated: () => void }) {
  const say = useSay();
  const isAdmin = useMe().role === "admin";
  const [key] = useState(() => crypto.randomUUID());
  const [input, setInput] = useState({ full_name: "", email: "", username: "", password: "", hospital_id: "" });
  const [role, setRole] = useState<StaffRole>("nurse");
  const set = (change: Partial<typeof input>) => setInput({ ...input, ...change });
  const { full_name, email, username, password, hospital_id } = input;
  const check = (): FieldErrors => ({
    ...(Array.from(password).length < SHORTEST && { password: say("users.password_short") }),
    ...requiredIn({ full_name, email, password }),
    ...(isAdmin && hospital_id === "" && { hospital_id: say("common.required_choice") }),
  });
  async function send() {
    const account = {
      full_name: full_name.trim(),
      email: email.trim(),
      password,
      role,
      ...(username.trim() && { username: username.trim() }),
      ...(hospital_id && { hospital_id }),
    };
    const words = { registration_refused: say("users.taken"), weak_password: say("session.weak_password") };
    await explained(createUser(account, key), words);
    onCreated();
  }
  return (
    <Dialog title={say("users.create_title")} onClose={onClose}>
      <p>{say("users.create_text")}</p>
      <Form
        submit={say("users.create")}
        check={check}
        onSubmit={send}
        onCancel={onClose}
        labels={{
          full_name: say("users.full_name"),
          email: say("users.email"),
          username: say("users.username"),
          password: say("users.password"),
          hospital_id: say("hospitals.hospital"),
        }}
      >
        {(field) => (
          <>
            <TextInput
              {...field("full_name")}
              label={say("users.full_name")}
              value={full_name}
              onChange={(event) => set({ full_name: event.target.value })}
              autoComplete="off"
              data-autofocus
            />
            <TextInput
              {...field("email")}
              type="email"
              label={say("users.email")}
              value={email}
              onChange={(event) => set({ email: event.target.value })}
              autoComplete="off"
            />
            <TextInput
              {...field("username")}
              label={say("users.username")}
              description={say("users.username_hint")}
              value={username}
              onChange={(event) => set({ username: event.target.value })}
              autoComplete="off"
            />
            <PasswordInput
              {...field("password")}
              label={say("users.password")}
              description={say("users.password_hint")}
              value={password}
              onChange={(event) => set({ password: event.target.value })}
              autoComplete="new-password"
              visibilityToggleButtonProps={{ "aria-label": say("session.show_password") }}
            />
            <RoleSelect {...field("role")} value={role} onChange={setRole} />
            <HospitalSelect
              {...field("hospital_id")}
              value={hospital_id}
              onChange={(id) => set({ hospital_id: id })}
              none={say("users.choose_hospital")}
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}
