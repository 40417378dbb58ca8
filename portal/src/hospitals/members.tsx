// Who works at a hospital: their roles there, and how somebody comes and goes.
import { Button, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { explained } from "../api/problem.ts";
import { queries } from "../api/queries.ts";
import { Confirm } from "../design/confirm.tsx";
import { type Column, DataTable, PAGES } from "../design/data-table.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Form, requiredIn } from "../design/form.tsx";
import layout from "../design/layout.module.css";
import { Card } from "../design/page.tsx";
import { date } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { accountWith } from "../users/api.ts";
import { endMember, type Hospital, listMembers, type Member, type StaffRole, setMember } from "./api.ts";
import { RoleSelect } from "./role-select.tsx";

type Act = { act: "role" | "remove"; member: Member } | { act: "add" };

export function Members({ hospital }: { hospital: Hospital }) {
  const say = useSay();
  const me = useMe();
  const [open, setOpen] = useState<Act | null>(null);
  const queryKey = ["admin", "members", hospital.hospital_id];
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => listMembers(hospital.hospital_id, pageParam),
    ...PAGES,
  });
  const columns: Column<Member>[] = [
    {
      label: say("hospitals.member"),
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
    { label: say("hospitals.role"), cell: ({ role }) => sayOf("role", role) },
    {
      label: say("hospitals.state"),
      cell: ({ is_active }) => say(is_active ? "hospitals.state.active" : "hospitals.suspended"),
    },
    { label: say("hospitals.since"), cell: ({ since }) => date(since, hospital.time_zone) },
    {
      label: say("common.edit"),
      align: "end",
      cell: (member) =>
        member.user_id !== me.user_id && (
          <div className={layout.endActs}>
            <Button size="xs" variant="default" onClick={() => setOpen({ act: "role", member })}>
              {say("hospitals.change_role")}
            </Button>
            <Button size="xs" variant="outline" color="red" onClick={() => setOpen({ act: "remove", member })}>
              {say("hospitals.remove")}
            </Button>
          </div>
        ),
    },
  ];
  // Bringing an account in takes an administrator of the platform; hospitals invite.
  const add = me.role === "admin" && hospital.is_active && (
    <Button onClick={() => setOpen({ act: "add" })}>{say("hospitals.add_member")}</Button>
  );
  const changed = () => {
    void queries.invalidateQueries({ queryKey: ["admin", "users"] });
    return queries.invalidateQueries({ queryKey });
  };
  const acting = { hospital, changed, onClose: () => setOpen(null) };
  return (
    <Card title={say("hospitals.members")} actions={add}>
      <DataTable
        label={say("hospitals.members")}
        columns={columns}
        query={query}
        keyOf={({ user_id }) => user_id}
        empty={say("hospitals.no_members")}
      />
      {open?.act === "add" && <AddMember {...acting} />}
      {open?.act === "role" && <ChangeRole {...acting} member={open.member} />}
      {open?.act === "remove" && (
        <Confirm
          title={say("hospitals.remove_title", { name: open.member.full_name })}
          act={say("hospitals.remove")}
          onConfirm={() => endMember(hospital.hospital_id, open.member.user_id).finally(changed)}
          onClose={acting.onClose}
        >
          <p>{say("hospitals.remove_text")}</p>
        </Confirm>
      )}
    </Card>
  );
}

type Acting = { hospital: Hospital; changed: () => Promise<unknown>; onClose: () => void };

function ChangeRole({ hospital, member, changed, onClose }: Acting & { member: Member }) {
  const say = useSay();
  const [role, setRole] = useState<StaffRole>(member.role);
  return (
    <Dialog title={say("hospitals.change_role_title", { name: member.full_name })} onClose={onClose}>
      <Form
        submit={say("hospitals.change_role")}
        onCancel={onClose}
        onSubmit={async () => {
          await setMember(hospital.hospital_id, member.user_id, role).finally(changed);
          onClose();
        }}
      >
        {(field) => <RoleSelect {...field("role")} value={role} onChange={setRole} />}
      </Form>
    </Dialog>
  );
}

function AddMember({ hospital, changed, onClose }: Acting) {
  const say = useSay();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<StaffRole>("nurse");
  const [unknown, setUnknown] = useState(false);
  async function add() {
    const account = await accountWith(email.trim());
    setUnknown(account === null);
    if (account === null) return;
    const words = { password_given: say("hospitals.password_given") };
    await explained(setMember(hospital.hospital_id, account.user_id, role), words).finally(changed);
    onClose();
  }
  return (
    <Dialog title={say("hospitals.add_member")} onClose={onClose}>
      <p>{say("hospitals.add_text")}</p>
      <Form
        submit={say("hospitals.add")}
        check={() => requiredIn({ email })}
        onCancel={onClose}
        onSubmit={add}
        labels={{ email: say("hospitals.their_email") }}
      >
        {(field) => (
          <>
            <TextInput
              {...field("email")}
              {...(unknown && { error: say("hospitals.no_account") })}
              type="email"
              label={say("hospitals.their_email")}
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
