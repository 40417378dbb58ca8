// Accounts that the caller manages, and invitations.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { HospitalSelect } from "../../organization/hospitals/hospital-select.tsx";
import { useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { type Column, CURSOR_PAGINATION, DataTable } from "../../platform/design/data-table.tsx";
import { formatDate } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card, Page } from "../../platform/design/page.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { useMe } from "../session/use-session.ts";
import { listUsers, type User, type UserFilters } from "./api.ts";
import { Invitations } from "./invitations.tsx";
import { InviteDialog } from "./invite-dialog.tsx";
import { NewAccountDialog } from "./new-account-dialog.tsx";

const ROLES = ["nurse", "doctor", "hospital_admin", "admin", "patient"] as const;

/** Roles of an account, at all hospitals that the caller may see. */
export function formatRoles({ is_admin, memberships }: User): string {
  const roles = [...(is_admin ? ["admin"] : []), ...new Set(memberships.map(({ role }) => role))];
  return (roles.length > 0 ? roles : ["patient"]).map((role) => translateCode("role", role)).join(", ");
}

export function UsersPage() {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const { role, state, hospital } = useSearch({ from: "/signed-in/admin/users" });
  // The searched e-mail address stays in memory, never in the URL.
  const [email, setEmail] = useState("");
  const [dialog, setDialog] = useState<"invite" | "create" | null>(null);
  const knownRole = ROLES.find((one) => one === role);
  const filters: UserFilters = {
    ...(knownRole && { role: knownRole }),
    ...(state === "active" && { is_active: "true" }),
    ...(state === "inactive" && { is_active: "false" }),
    ...(hospital && { hospital_id: hospital }),
    ...(email && { email }),
  };
  const query = useInfiniteQuery({
    queryKey: ["admin", "users", "list", filters],
    queryFn: ({ pageParam }) => listUsers(filters, pageParam),
    ...CURSOR_PAGINATION,
  });
  const columns: Column<User>[] = [
    {
      label: t("users.name"),
      cell: ({ user_id, full_name }) => (
        <Link to="/admin/users/$userId" params={{ userId: user_id }}>
          {full_name}
        </Link>
      ),
    },
    { label: t("users.email"), cell: (user) => user.email },
    { label: t("users.role"), cell: formatRoles },
    { label: t("users.state"), cell: ({ is_active }) => t(is_active ? "users.state.active" : "users.state.inactive") },
    { label: t("users.since"), cell: ({ created_at }) => formatDate(created_at, zone) },
  ];
  const closeDialog = () => setDialog(null);
  const actions = (
    <>
      <Button variant="default" onClick={() => setDialog("create")}>
        {t("users.create")}
      </Button>
      <Button onClick={() => setDialog("invite")}>{t("users.invite")}</Button>
    </>
  );
  return (
    <Page title={t("nav.users")} actions={actions}>
      <Card title={t("users.accounts")}>
        <UserFilterForm email={email} onFind={setEmail} />
        <DataTable
          label={t("users.accounts")}
          columns={columns}
          query={query}
          rowKey={({ user_id }) => user_id}
          isFiltered={Object.keys(filters).length > 0}
          empty={t("users.none")}
        />
      </Card>
      <Invitations zone={zone} />
      {dialog === "invite" && <InviteDialog zone={zone} onClose={closeDialog} />}
      {dialog === "create" && (
        <NewAccountDialog
          onClose={closeDialog}
          onCreated={() => {
            closeDialog();
            void queryClient.invalidateQueries({ queryKey: ["admin", "users"] });
          }}
        />
      )}
    </Page>
  );
}

function UserFilterForm({ email, onFind }: { email: string; onFind: (email: string) => void }) {
  const t = useTranslation();
  const me = useMe();
  const search = useSearch({ from: "/signed-in/admin/users" });
  const navigate = useNavigate({ from: "/admin/users" });
  const [typedEmail, setTypedEmail] = useState(email);
  const updateSearch = (change: typeof search) => void navigate({ search: { ...search, ...change }, replace: true });
  // Hospitals cannot filter for patients: which of their staff are patients is private.
  const roles = ROLES.filter((role) => me.role === "admin" || role !== "patient");
  const handleSubmit = (event: FormEvent) => {
    event.preventDefault();
    onFind(typedEmail.trim());
  };
  return (
    <form onSubmit={handleSubmit} className={layout.filterForm} aria-label={t("common.filters")}>
      <NativeSelect
        label={t("users.role")}
        value={search.role ?? ""}
        onChange={(event) => updateSearch({ role: event.target.value })}
        data={[
          { value: "", label: t("users.any_role") },
          ...roles.map((role) => ({ value: role, label: translateCode("role", role) })),
        ]}
      />
      <NativeSelect
        label={t("users.state")}
        value={search.state ?? ""}
        onChange={(event) => updateSearch({ state: event.target.value })}
        data={[
          { value: "", label: t("users.any_state") },
          { value: "active", label: t("users.state.active") },
          { value: "inactive", label: t("users.state.inactive") },
        ]}
      />
      <HospitalSelect
        value={search.hospital ?? ""}
        onChange={(hospital) => updateSearch({ hospital })}
        emptyLabel={t("users.any_hospital")}
      />
      <TextInput
        type="email"
        label={t("users.find_email")}
        placeholder={t("users.find_email_hint")}
        value={typedEmail}
        onChange={(event) => {
          setTypedEmail(event.target.value);
          if (event.target.value === "") onFind("");
        }}
        autoComplete="off"
      />
      <Button type="submit" variant="default">
        {t("users.find")}
      </Button>
    </form>
  );
}
