// One account: who it is, where they work, and what can be done about it.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { queries } from "../api/queries.ts";
import layout from "../design/layout.module.css";
import { Card, Facts, Page } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { dateTime } from "../design/time.ts";
import { useHospitalName, useZone } from "../hospitals/use-hospitals.ts";
import { type PlainKey, sayOf, useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { changeUser, readUser, type User, type UserChange } from "./api.ts";
import { type Act, ActOn } from "./user-acts.tsx";
import { rolesOf } from "./users-page.tsx";

type Read = { data: User; etag: string };

export function UserPage() {
  const say = useSay();
  const { userId } = useParams({ from: "/house/admin/users/$userId" });
  const query = useQuery({ queryKey: ["admin", "user", userId], queryFn: () => readUser(userId) });
  return (
    <Page title={query.data?.data.full_name ?? say("users.user")} windowTitle={say("users.user")}>
      <Query query={query}>{(read) => <Known key={userId} read={read} />}</Query>
    </Page>
  );
}

const LABELS = {
  edit: "users.edit",
  role: "users.change_role",
  make_admin: "users.make_admin",
  unmake_admin: "users.unmake_admin",
  deactivate: "users.deactivate",
  activate: "users.activate",
  end_sessions: "users.end_sessions",
  unlock: "users.unlock",
  reset: "users.reset",
} as const satisfies Record<Act, PlainKey>;
const RISKY: readonly Act[] = ["deactivate", "unmake_admin"];

/** What the caller may do about the profile of somebody else; nobody touches who stands above them. */
function profileActs(asAdmin: boolean, user: User): Act[] {
  const active: Act = user.is_active ? "deactivate" : "activate";
  if (asAdmin) return ["edit", user.is_admin ? "unmake_admin" : "make_admin", active];
  return user.is_admin ? [] : ["role", active];
}

function Known({ read }: { read: Read }) {
  const say = useSay();
  const zone = useZone();
  const me = useMe();
  const { data: user } = read;
  const [act, setAct] = useState<Act | null>(null);
  const [done, setDone] = useState<string | null>(null);
  const isSelf = me.user_id === user.user_id;
  const asAdmin = me.role === "admin";

  async function change(json: UserChange): Promise<void> {
    await changeUser(user.user_id, read.etag, json).finally(() =>
      queries.invalidateQueries({ queryKey: ["admin", "user", user.user_id] }),
    );
    void queries.invalidateQueries({ queryKey: ["admin", "users"] });
    void queries.invalidateQueries({ queryKey: ["admin", "members"] });
  }

  const buttons = (acts: readonly Act[]) =>
    acts.length > 0 && (
      <div className={`${layout.acts} ${layout.wideActs}`}>
        {acts.map((one) => (
          <Button
            key={one}
            variant={RISKY.includes(one) ? "outline" : "default"}
            {...(RISKY.includes(one) && { color: "red" })}
            onClick={() => {
              setDone(null);
              setAct(one);
            }}
          >
            {say(LABELS[one])}
          </Button>
        ))}
      </div>
    );
  const above = user.is_admin && !asAdmin;
  return (
    <>
      <Card title={say("users.profile")} actions={!isSelf && buttons(profileActs(asAdmin, user))}>
        {isSelf && (
          <p>
            <Link to="/account">{say("users.you")}</Link>
          </p>
        )}
        <Facts
          items={[
            [say("users.email"), user.email],
            [say("users.username"), user.username],
            [say("users.role"), rolesOf(user)],
            [say("users.state"), say(user.is_active ? "users.state.active" : "users.state.inactive")],
            [say("users.since"), dateTime(user.created_at, zone)],
            [say("users.id"), <code key="id">{user.user_id}</code>],
          ]}
        />
        <p>
          <Link to="/admin/audit" search={{ actor: user.user_id }}>
            {say("users.audit")}
          </Link>
        </p>
      </Card>
      {!isSelf && !above && (
        <Card title={say("users.sign_in_acts")}>
          {buttons(["reset", "end_sessions", "unlock"])}
          <p role="status">{done}</p>
        </Card>
      )}
      <Memberships user={user} />
      {act && <ActOn act={act} user={user} zone={zone} change={change} onDone={setDone} onClose={() => setAct(null)} />}
    </>
  );
}

function Memberships({ user }: { user: User }) {
  const say = useSay();
  const nameOfHospital = useHospitalName();
  return (
    <Card title={say("users.memberships")}>
      {user.memberships.length === 0 ? (
        <p>{say("users.no_memberships")}</p>
      ) : (
        <ul>
          {user.memberships.map(({ hospital_id, role, is_active }) => (
            <li key={hospital_id}>
              <Link to="/admin/hospitals/$hospitalId" params={{ hospitalId: hospital_id }}>
                {nameOfHospital(hospital_id)}
              </Link>{" "}
              · {sayOf("role", role)}
              {!is_active && ` · ${say("users.state.inactive")}`}
            </li>
          ))}
        </ul>
      )}
      <p>{say("users.memberships_text")}</p>
    </Card>
  );
}
