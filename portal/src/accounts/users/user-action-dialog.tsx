// Account actions, each in a dialog that states its effect.
import { TextInput } from "@mantine/core";
import { useState } from "react";
import type { StaffRole } from "../../organization/hospitals/api.ts";
import { RoleSelect } from "../../organization/hospitals/role-select.tsx";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { Dialog } from "../../platform/design/dialog.tsx";
import { Form, validateRequired } from "../../platform/design/form.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import { OneTimeSecretDialog } from "../../platform/design/one-time-secret-dialog.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { resetFactors } from "../factors/api.ts";
import { useMe } from "../session/use-session.ts";
import { endSessions, resetPassword, type User, type UserChange, unlockUser } from "./api.ts";

export type UserAction =
  | "edit"
  | "role"
  | "make_admin"
  | "unmake_admin"
  | "deactivate"
  | "activate"
  | "end_sessions"
  | "unlock"
  | "reset"
  | "reset_factors";

type UserActionProps = {
  user: User;
  zone: string | undefined;
  change: (json: UserChange) => Promise<void>;
  onDone: (what: string) => void;
  onClose: () => void;
};

export function UserActionDialog({ action, ...actionProps }: UserActionProps & { action: UserAction }) {
  const t = useTranslation();
  const isAdmin = useMe().role === "admin";
  const { user, change, onDone, onClose } = actionProps;
  const name = user.full_name;
  if (action === "edit") return <EditProfileDialog {...actionProps} />;
  if (action === "role") return <ChangeRoleDialog {...actionProps} />;
  if (action === "reset") return <PasswordResetDialog {...actionProps} />;
  if (action === "reset_factors") {
    const reset = () => withErrorMessages(resetFactors(user.user_id), { forbidden: t("users.reset_forbidden") });
    return (
      <ConfirmDialog
        title={t("factors.reset_title", { name })}
        confirmLabel={t("factors.reset")}
        onConfirm={() => reset().then(() => onDone(t("factors.reset_done")))}
        onClose={onClose}
      >
        <p>{t("factors.reset_text")}</p>
      </ConfirmDialog>
    );
  }
  if (action === "end_sessions") {
    return (
      <ConfirmDialog
        title={t("users.end_sessions_title", { name })}
        confirmLabel={t("users.end_sessions")}
        onConfirm={() => endSessions(user.user_id).then(({ ended }) => onDone(t("users.ended", { n: ended })))}
        onClose={onClose}
      >
        <p>{t("users.end_sessions_text")}</p>
      </ConfirmDialog>
    );
  }
  if (action === "unlock") {
    return (
      <ConfirmDialog
        title={t("users.unlock_title", { name })}
        confirmLabel={t("users.unlock")}
        isDangerous={false}
        onConfirm={() => unlockUser(user.user_id).then(() => onDone(t("users.unlocked")))}
        onClose={onClose}
      >
        <p>{t("users.unlock_text")}</p>
      </ConfirmDialog>
    );
  }
  if (action === "activate" || action === "deactivate") {
    const isActivation = action === "activate";
    const errorMessages = { conflict: t("users.last_admin") };
    return (
      <ConfirmDialog
        title={t(isActivation ? "users.activate_title" : "users.deactivate_title", { name })}
        confirmLabel={t(isActivation ? "users.activate" : "users.deactivate")}
        isDangerous={!isActivation}
        onConfirm={() => withErrorMessages(change({ is_active: isActivation }), errorMessages)}
        onClose={onClose}
      >
        <p>{t(isActivation ? "users.activate_text" : isAdmin ? "users.deactivate_text" : "users.deactivate_here")}</p>
      </ConfirmDialog>
    );
  }
  const isGrant = action === "make_admin";
  const errorMessages = { conflict: t("users.last_admin"), password_given: t("users.password_given") };
  return (
    <ConfirmDialog
      title={t(isGrant ? "users.make_admin_title" : "users.unmake_admin_title", { name })}
      confirmLabel={t(isGrant ? "users.make_admin" : "users.unmake_admin")}
      onConfirm={() => withErrorMessages(change({ is_admin: isGrant }), errorMessages)}
      onClose={onClose}
    >
      <p>{t(isGrant ? "users.make_admin_text" : "users.unmake_admin_text")}</p>
    </ConfirmDialog>
  );
}

function EditProfileDialog({ user, change, onClose }: UserActionProps) {
  const t = useTranslation();
  const [fullName, setFullName] = useState(user.full_name);
  const [username, setUsername] = useState(user.username ?? "");
  const [email, setEmail] = useState(user.email);
  async function save() {
    const json = { full_name: fullName.trim(), username: username.trim() || null, email: email.trim() };
    await withErrorMessages(change(json), { already_exists: t("users.taken") });
    onClose();
  }
  return (
    <Dialog title={t("users.edit")} onClose={onClose}>
      <Form
        submitLabel={t("common.save")}
        validate={() => validateRequired({ full_name: fullName, email })}
        onSubmit={save}
        onCancel={onClose}
        labels={{
          full_name: t("users.full_name"),
          username: t("users.username"),
          email: t("users.email"),
        }}
      >
        {(field) => (
          <>
            <TextInput
              {...field("full_name")}
              label={t("users.full_name")}
              value={fullName}
              onChange={(event) => setFullName(event.target.value)}
              autoComplete="off"
              data-autofocus
            />
            <TextInput
              {...field("username")}
              label={t("users.username")}
              description={t("users.username_hint")}
              value={username}
              onChange={(event) => setUsername(event.target.value)}
              autoComplete="off"
            />
            <TextInput
              {...field("email")}
              type="email"
              label={t("users.email")}
              value={email}
              onChange={(event) => setEmail(event.target.value)}
              autoComplete="off"
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}

/** For a hospital administrator: at their hospital. */
function ChangeRoleDialog({ user, change, onClose }: UserActionProps) {
  const t = useTranslation();
  const [role, setRole] = useState<StaffRole>(user.memberships[0]?.role ?? "nurse");
  return (
    <Dialog title={t("users.change_role")} onClose={onClose}>
      <p>{t("users.role_changed")}</p>
      <Form
        submitLabel={t("users.change_role")}
        onSubmit={async () => {
          await change({ role });
          onClose();
        }}
        onCancel={onClose}
      >
        {(field) => <RoleSelect {...field("role")} value={role} onChange={setRole} />}
      </Form>
    </Dialog>
  );
}

function PasswordResetDialog({ user, zone, onClose }: UserActionProps) {
  const t = useTranslation();
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [resetLink, setResetLink] = useState<Awaited<ReturnType<typeof resetPassword>> | null>(null);
  if (resetLink) {
    return (
      <OneTimeSecretDialog title={t("users.reset")} label={t("users.reset_link")} value={resetLink.url} onClose={onClose}>
        <p>{t("users.reset_once", { time: formatDateTime(resetLink.expires_at, zone) })}</p>
      </OneTimeSecretDialog>
    );
  }
  const errorMessages = { forbidden: t("users.reset_forbidden") };
  return (
    <Dialog title={t("users.reset_title", { name: user.full_name })} onClose={onClose}>
      <p>{t("users.reset_text")}</p>
      <Form
        submitLabel={t("users.reset")}
        onSubmit={async () => setResetLink(await withErrorMessages(resetPassword(user.user_id, idempotencyKey), errorMessages))}
        onCancel={onClose}
      >
        {() => null}
      </Form>
    </Dialog>
  );
}
