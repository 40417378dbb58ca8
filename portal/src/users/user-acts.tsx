// What is done about an account: each in a dialog that says what follows.
import { TextInput } from "@mantine/core";
import { useState } from "react";
import { explained } from "../api/problem.ts";
import { Confirm } from "../design/confirm.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Form, requiredIn } from "../design/form.tsx";
import { ShownOnce } from "../design/shown-once.tsx";
import { dateTime } from "../design/time.ts";
import type { StaffRole } from "../hospitals/api.ts";
import { RoleSelect } from "../hospitals/role-select.tsx";
import { useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { endSessions, resetPassword, type User, type UserChange, unlock } from "./api.ts";

export type Act =
  | "edit"
  | "role"
  | "make_admin"
  | "unmake_admin"
  | "deactivate"
  | "activate"
  | "end_sessions"
  | "unlock"
  | "reset";

type Acting = {
  user: User;
  zone: string | undefined;
  change: (json: UserChange) => Promise<void>;
  onDone: (what: string) => void;
  onClose: () => void;
};

export function ActOn({ act, ...acting }: Acting & { act: Act }) {
  const say = useSay();
  const asAdmin = useMe().role === "admin";
  const { user, change, onDone, onClose } = acting;
  const name = user.full_name;
  if (act === "edit") return <EditProfile {...acting} />;
  if (act === "role") return <ChangeRole {...acting} />;
  if (act === "reset") return <Reset {...acting} />;
  if (act === "end_sessions") {
    return (
      <Confirm
        title={say("users.end_sessions_title", { name })}
        act={say("users.end_sessions")}
        onConfirm={() => endSessions(user.user_id).then(({ ended }) => onDone(say("users.ended", { n: ended })))}
        onClose={onClose}
      >
        <p>{say("users.end_sessions_text")}</p>
      </Confirm>
    );
  }
  if (act === "unlock") {
    return (
      <Confirm
        title={say("users.unlock_title", { name })}
        act={say("users.unlock")}
        risky={false}
        onConfirm={() => unlock(user.user_id).then(() => onDone(say("users.unlocked")))}
        onClose={onClose}
      >
        <p>{say("users.unlock_text")}</p>
      </Confirm>
    );
  }
  if (act === "activate" || act === "deactivate") {
    const active = act === "activate";
    const words = { conflict: say("users.last_admin") };
    return (
      <Confirm
        title={say(active ? "users.activate_title" : "users.deactivate_title", { name })}
        act={say(active ? "users.activate" : "users.deactivate")}
        risky={!active}
        onConfirm={() => explained(change({ is_active: active }), words)}
        onClose={onClose}
      >
        <p>{say(active ? "users.activate_text" : asAdmin ? "users.deactivate_text" : "users.deactivate_here")}</p>
      </Confirm>
    );
  }
  const make = act === "make_admin";
  const words = { conflict: say("users.last_admin"), password_given: say("users.password_given") };
  return (
    <Confirm
      title={say(make ? "users.make_admin_title" : "users.unmake_admin_title", { name })}
      act={say(make ? "users.make_admin" : "users.unmake_admin")}
      onConfirm={() => explained(change({ is_admin: make }), words)}
      onClose={onClose}
    >
      <p>{say(make ? "users.make_admin_text" : "users.unmake_admin_text")}</p>
    </Confirm>
  );
}

function EditProfile({ user, change, onClose }: Acting) {
  const say = useSay();
  const [fullName, setFullName] = useState(user.full_name);
  const [username, setUsername] = useState(user.username ?? "");
  const [email, setEmail] = useState(user.email);
  async function save() {
    const json = { full_name: fullName.trim(), username: username.trim() || null, email: email.trim() };
    await explained(change(json), { already_exists: say("users.taken") });
    onClose();
  }
  return (
    <Dialog title={say("users.edit")} onClose={onClose}>
      <Form
        submit={say("common.save")}
        check={() => requiredIn({ full_name: fullName, email })}
        onSubmit={save}
        onCancel={onClose}
        labels={{
          full_name: say("users.full_name"),
          username: say("users.username"),
          email: say("users.email"),
        }}
      >
        {(field) => (
          <>
            <TextInput
              {...field("full_name")}
              label={say("users.full_name")}
              value={fullName}
              onChange={(event) => setFullName(event.target.value)}
              autoComplete="off"
              data-autofocus
            />
            <TextInput
              {...field("username")}
              label={say("users.username")}
              description={say("users.username_hint")}
              value={username}
              onChange={(event) => setUsername(event.target.value)}
              autoComplete="off"
            />
            <TextInput
              {...field("email")}
              type="email"
              label={say("users.email")}
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

/** At the hospital of a hospital administrator. */
function ChangeRole({ user, change, onClose }: Acting) {
  const say = useSay();
  const [role, setRole] = useState<StaffRole>(user.memberships[0]?.role ?? "nurse");
  return (
    <Dialog title={say("users.change_role")} onClose={onClose}>
      <p>{say("users.role_changed")}</p>
      <Form
        submit={say("users.change_role")}
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

function Reset({ user, zone, onClose }: Acting) {
  const say = useSay();
  const [key] = useState(() => crypto.randomUUID());
  const [made, setMade] = useState<Awaited<ReturnType<typeof resetPassword>> | null>(null);
  if (made) {
    return (
      <ShownOnce title={say("users.reset")} label={say("users.reset_link")} value={made.url} onClose={onClose}>
        <p>{say("users.reset_once", { time: dateTime(made.expires_at, zone) })}</p>
      </ShownOnce>
    );
  }
  const words = { forbidden: say("users.reset_forbidden") };
  return (
    <Dialog title={say("users.reset_title", { name: user.full_name })} onClose={onClose}>
      <p>{say("users.reset_text")}</p>
      <Form
        submit={say("users.reset")}
        onSubmit={async () => setMade(await explained(resetPassword(user.user_id, key), words))}
        onCancel={onClose}
      >
        {() => null}
      </Form>
    </Dialog>
  );
}
