// Members of a hospital: roles, adding and removing.
import { Button, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { reloadMe } from "../../accounts/session/session.ts";
import { useMe } from "../../accounts/session/use-session.ts";
import { findUserByEmail } from "../../accounts/users/api.ts";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { type Column, CURSOR_PAGINATION, DataTable } from "../../platform/design/data-table.tsx";
import { Dialog } from "../../platform/design/dialog.tsx";
import { Form, validateRequired } from "../../platform/design/form.tsx";
import { formatDate } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card } from "../../platform/design/page.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { setPrivacyOfficer } from "../../privacy/api.ts";
import { type Hospital, listMembers, type Member, removeMember, type StaffRole, setMemberRole } from "./api.ts";
import { RoleSelect } from "./role-select.tsx";

type OpenDialog = { kind: "role" | "remove" | "officer"; member: Member } | { kind: "add" };

export function Members({ hospital }: { hospital: Hospital }) {
  const t = useTranslation();
  const me = useMe();
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const queryKey = ["admin", "members", hospital.hospital_id];
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => listMembers(hospital.hospital_id, pageParam),
    ...CURSOR_PAGINATION,
  });
  const columns: Column<Member>[] = [
    {
      label: t("hospitals.member"),
      cell: ({ user_id, full_name, email }) => (
        <>
          <Link to="/admin/users/$userId" params={{ userId: user_id }}>
            {full_name}
          </Link>
          <br />
          {email}
        </>
      ),
    },
    {
      label: t("hospitals.role"),
      cell: ({ role, is_privacy_officer }) => (
        <>
          {translateCode("role", role)}
          {is_privacy_officer && (
            <>
              <br />
              {t("privacy.officer")}
            </>
          )}
        </>
      ),
    },
    {
      label: t("hospitals.state"),
      cell: ({ is_active }) => t(is_active ? "hospitals.state.active" : "hospitals.suspended"),
    },
    { label: t("hospitals.since"), cell: ({ since }) => formatDate(since, hospital.time_zone) },
    {
      label: t("common.edit"),
      align: "end",
      cell: (member) => (
        <div className={layout.endActs}>
          {(member.is_active || member.is_privacy_officer) && (
            <Button size="xs" variant="default" onClick={() => setDialog({ kind: "officer", member })}>
              {t(member.is_privacy_officer ? "privacy.remove_officer" : "privacy.make_officer")}
            </Button>
          )}
          {member.user_id !== me.user_id && (
            <>
              <Button size="xs" variant="default" onClick={() => setDialog({ kind: "role", member })}>
                {t("hospitals.change_role")}
              </Button>
              <Button size="xs" variant="outline" color="red" onClick={() => setDialog({ kind: "remove", member })}>
                {t("hospitals.remove")}
              </Button>
            </>
          )}
        </div>
      ),
    },
  ];
  // Only platform administrators add an existing account; hospitals send invitations.
  const addButton = me.role === "admin" && hospital.is_active && (
    <Button onClick={() => setDialog({ kind: "add" })}>{t("hospitals.add_member")}</Button>
  );
  const onChanged = () => {
    void queryClient.invalidateQueries({ queryKey: ["admin", "users"] });
    return queryClient.invalidateQueries({ queryKey });
  };
  const dialogProps = { hospital, onChanged, onClose: () => setDialog(null) };
  return (
    <Card title={t("hospitals.members")} actions={addButton}>
      <DataTable
        label={t("hospitals.members")}
        columns={columns}
        query={query}
        rowKey={({ user_id }) => user_id}
        empty={t("hospitals.no_members")}
      />
      {dialog?.kind === "add" && <AddMemberDialog {...dialogProps} />}
      {dialog?.kind === "role" && <ChangeRoleDialog {...dialogProps} member={dialog.member} />}
      {dialog?.kind === "officer" && <OfficerDialog {...dialogProps} member={dialog.member} />}
      {dialog?.kind === "remove" && (
        <ConfirmDialog
          title={t("hospitals.remove_title", { name: dialog.member.full_name })}
          confirmLabel={t("hospitals.remove")}
          onConfirm={() => removeMember(hospital.hospital_id, dialog.member.user_id).finally(onChanged)}
          onClose={dialogProps.onClose}
        >
          <p>{t("hospitals.remove_text")}</p>
        </ConfirmDialog>
      )}
    </Card>
  );
}

type MemberDialogProps = { hospital: Hospital; onChanged: () => Promise<unknown>; onClose: () => void };

function OfficerDialog({ hospital, member, onChanged, onClose }: MemberDialogProps & { member: Member }) {
  const t = useTranslation();
  const me = useMe();
  const isOfficer = member.is_privacy_officer;
  async function change() {
    await setPrivacyOfficer(hospital.hospital_id, member.user_id, !isOfficer).finally(onChanged);
    // The own navigation shows the reviews.
    if (member.user_id === me.user_id) await reloadMe();
  }
  const name = { name: member.full_name };
  return (
    <ConfirmDialog
      title={isOfficer ? t("privacy.remove_officer_title", name) : t("privacy.make_officer_title", name)}
      confirmLabel={t(isOfficer ? "privacy.remove_officer" : "privacy.make_officer")}
      isDangerous={isOfficer}
      onConfirm={change}
      onClose={onClose}
    >
      <p>{t(isOfficer ? "privacy.remove_officer_text" : "privacy.make_officer_text")}</p>
    </ConfirmDialog>
  );
}

function ChangeRoleDialog({ hospital, member, onChanged, onClose }: MemberDialogProps & { member: Member }) {
  const t = useTranslation();
  const [role, setRole] = useState<StaffRole>(member.role);
  return (
    <Dialog title={t("hospitals.change_role_title", { name: member.full_name })} onClose={onClose}>
      <Form
        submitLabel={t("hospitals.change_role")}
        onCancel={onClose}
        onSubmit={async () => {
          await setMemberRole(hospital.hospital_id, member.user_id, role).finally(onChanged);
          onClose();
        }}
      >
        {(field) => <RoleSelect {...field("role")} value={role} onChange={setRole} />}
      </Form>
    </Dialog>
  );
}

function AddMemberDialog({ hospital, onChanged, onClose }: MemberDialogProps) {
  const t = useTranslation();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<StaffRole>("nurse");
  const [isUnknownEmail, setIsUnknownEmail] = useState(false);
  async function addMember() {
    const account = await findUserByEmail(email.trim());
    setIsUnknownEmail(account === null);
    if (account === null) return;
    const errorMessages = { password_given: t("hospitals.password_given") };
    await withErrorMessages(setMemberRole(hospital.hospital_id, account.user_id, role), errorMessages).finally(onChanged);
    onClose();
  }
  return (
    <Dialog title={t("hospitals.add_member")} onClose={onClose}>
      <p>{t("hospitals.add_text")}</p>
      <Form
        submitLabel={t("hospitals.add")}
        validate={() => validateRequired({ email })}
        onCancel={onClose}
        onSubmit={addMember}
        labels={{ email: t("hospitals.their_email") }}
      >
        {(field) => (
          <>
            <TextInput
              {...field("email")}
              {...(isUnknownEmail && { error: t("hospitals.no_account") })}
              type="email"
              label={t("hospitals.their_email")}
              value={email}
              onChange={(event) => setEmail(event.target.value)}
              data-autofocus
            />
            <RoleSelect {...field("role")} value={role} onChange={setRole} />
          </>
        )}
      </Form>
    </Dialog>
  );
}
