// Account page: identity, hospitals and actions.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useHospitalName, useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card, DescriptionList, Page } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { type PlainMessageKey, translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { useMe } from "../session/use-session.ts";
import { changeUser, type User, type UserChange } from "./api.ts";
import { userQuery } from "./use-user.ts";
import { type UserAction, UserActionDialog } from "./user-action-dialog.tsx";
import { formatRoles } from "./users-page.tsx";

type VersionedUser = { data: User; etag: string };

export function UserPage() {
  const t = useTranslation();
  const { userId } = useParams({ from: "/signed-in/admin/users/$userId" });
  const query = useQuery(userQuery(userId));
  return (
    <Page title={query.data?.data.full_name ?? t("users.user")} windowTitle={t("users.user")}>
      <QueryBoundary query={query}>{(versioned) => <UserDetails key={userId} versioned={versioned} />}</QueryBoundary>
    </Page>
  );
}

const ACTION_LABELS = {
  edit: "users.edit",
  role: "users.change_role",
  make_admin: "users.make_admin",
  unmake_admin: "users.unmake_admin",
  deactivate: "users.deactivate",
  activate: "users.activate",
  end_sessions: "users.end_sessions",
  unlock: "users.unlock",
  reset: "users.reset",
  reset_factors: "factors.reset",
} as const satisfies Record<UserAction, PlainMessageKey>;
const DANGEROUS_ACTIONS: readonly UserAction[] = ["deactivate", "unmake_admin"];

/** Actions that the caller may take on another account; never on accounts above the caller's role. */
function listProfileActions(isAdmin: boolean, user: User): UserAction[] {
  const active: UserAction = user.is_active ? "deactivate" : "activate";
  if (isAdmin) return ["edit", user.is_admin ? "unmake_admin" : "make_admin", active];
  return user.is_admin ? [] : ["role", active];
}

function UserDetails({ versioned }: { versioned: VersionedUser }) {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const me = useMe();
  const { data: user } = versioned;
  const [action, setAction] = useState<UserAction | null>(null);
  const [statusText, setStatusText] = useState<string | null>(null);
  const isSelf = me.user_id === user.user_id;
  const isAdmin = me.role === "admin";

  async function saveChange(json: UserChange): Promise<void> {
    await changeUser(user.user_id, versioned.etag, json).finally(() =>
      queryClient.invalidateQueries({ queryKey: userQuery(user.user_id).queryKey }),
    );
    void queryClient.invalidateQueries({ queryKey: ["admin", "users"] });
    void queryClient.invalidateQueries({ queryKey: ["admin", "members"] });
  }

  const renderButtons = (actions: readonly UserAction[]) =>
    actions.length > 0 && (
      <div className={`${layout.acts} ${layout.wideActs}`}>
        {actions.map((userAction) => (
          <Button
            key={userAction}
            variant={DANGEROUS_ACTIONS.includes(userAction) ? "outline" : "default"}
            {...(DANGEROUS_ACTIONS.includes(userAction) && { color: "red" })}
            onClick={() => {
              setStatusText(null);
              setAction(userAction);
            }}
          >
            {t(ACTION_LABELS[userAction])}
          </Button>
        ))}
      </div>
    );
  const outranksCaller = user.is_admin && !isAdmin;
  return (
    <>
      <Card title={t("users.profile")} actions={!isSelf && renderButtons(listProfileActions(isAdmin, user))}>
        {isSelf && (
          <p>
            <Link to="/account">{t("users.you")}</Link>
          </p>
        )}
        <DescriptionList
          items={[
            [t("users.email"), user.email],
            [t("users.username"), user.username],
            [t("users.role"), formatRoles(user)],
            [t("users.state"), t(user.is_active ? "users.state.active" : "users.state.inactive")],
            [t("users.since"), formatDateTime(user.created_at, zone)],
            [t("users.id"), <code key="id">{user.user_id}</code>],
          ]}
        />
        <p>
          <Link to="/admin/audit" search={{ actor: user.user_id }}>
            {t("users.audit")}
          </Link>
        </p>
      </Card>
      {!isSelf && !outranksCaller && (
        <Card title={t("users.sign_in_acts")}>
          {renderButtons(["reset", "reset_factors", "end_sessions", "unlock"])}
          <p role="status">{statusText}</p>
        </Card>
      )}
      <Memberships user={user} />
      {action && (
        <UserActionDialog
          action={action}
          user={user}
          zone={zone}
          change={saveChange}
          onDone={setStatusText}
          onClose={() => setAction(null)}
        />
      )}
    </>
  );
}

function Memberships({ user }: { user: User }) {
  const t = useTranslation();
  const getHospitalName = useHospitalName();
  return (
    <Card title={t("users.memberships")}>
      {user.memberships.length === 0 ? (
        <p>{t("users.no_memberships")}</p>
      ) : (
        <ul>
          {user.memberships.map(({ hospital_id, role, is_active }) => (
            <li key={hospital_id}>
              <Link to="/admin/hospitals/$hospitalId" params={{ hospitalId: hospital_id }}>
                {getHospitalName(hospital_id)}
              </Link>{" "}
              · {translateCode("role", role)}
              {!is_active && ` · ${t("users.state.inactive")}`}
            </li>
          ))}
        </ul>
      )}
      <p>{t("users.memberships_text")}</p>
    </Card>
  );
}
