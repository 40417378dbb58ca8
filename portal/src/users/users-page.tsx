// Everybody whose account the caller manages, and who is invited.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { queries } from "../api/queries.ts";
import { type Column, DataTable, PAGES } from "../design/data-table.tsx";
import layout from "../design/layout.module.css";
import { Card, Page } from "../design/page.tsx";
import { date } from "../design/time.ts";
import { HospitalSelect } from "../hospitals/hospital-select.tsx";
import { useZone } from "../hospitals/use-hospitals.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { listUsers, type User, type UserFilters } from "./api.ts";
import { Invitations } from "./invitations.tsx";
import { Invite } from "./invite.tsx";
import { NewAccount } from "./new-account.tsx";

const ROLES = ["nurse", "doctor", "hospital_admin", "admin", "patient"] as const;

/** What somebody is, everywhere that the caller may know of. */
export function rolesOf({ is_admin, memberships }: User): string {
  const roles = [...(is_admin ? ["admin"] : []), ...new Set(memberships.map(({ role }) => role))];
  return (roles.length > 0 ? roles : ["patient"]).map((role) => sayOf("role", role)).join(", ");
}

export function UsersPage() {
  const say = useSay();
  const zone = useZone();
  const { role, state, hospital } = useSearch({ from: "/house/admin/users" });
  // An address is not for the page's own: it stays in memory.
  const [email, setEmail] = useState("");
  const [open, setOpen] = useState<"invite" | "create" | null>(null);
  const known = ROLES.find((one) => one === role);
  const filters: UserFilters = {
    ...(known && { role: known }),
    ...(state === "active" && { is_active: "true" }),
    ...(state === "inactive" && { is_active: "false" }),
    ...(hospital && { hospital_id: hospital }),
    ...(email && { email }),
  };
  const query = useInfiniteQuery({
    queryKey: ["admin", "users", "list", filters],
    queryFn: ({ pageParam }) => listUsers(filters, pageParam),
    ...PAGES,
  });
  const columns: Column<User>[] = [
    {
      label: say("users.name"),
      cell: ({ user_id, full_name }) => (
        <Link to="/admin/users/$userId" params={{ userId: user_id }}>
          {full_name}
        </Link>
      ),
    },
    { label: say("users.email"), cell: (user) => user.email },
    { label: say("users.role"), cell: rolesOf },
    { label: say("users.state"), cell: ({ is_active }) => say(is_active ? "users.state.active" : "users.state.inactive") },
    { label: say("users.since"), cell: ({ created_at }) => date(created_at, zone) },
  ];
  const close = () => setOpen(null);
  const actions = (
    <>
      <Button variant="default" onClick={() => setOpen("create")}>
        {say("users.create")}
      </Button>
      <Button onClick={() => setOpen("invite")}>{say("users.invite")}</Button>
    </>
  );
  return (
    <Page title={say("nav.users")} actions={actions}>
      <Card title={say("users.accounts")}>
        <Filters email={email} find={setEmail} />
        <DataTable
          label={say("users.accounts")}
          columns={columns}
          query={query}
          keyOf={({ user_id }) => user_id}
          filtered={Object.keys(filters).length > 0}
          empty={say("users.none")}
        />
      </Card>
      <Invitations zone={zone} />
      {open === "invite" && <Invite zone={zone} onClose={close} />}
      {open === "create" && (
        <NewAccount
          onClose={close}
          onCreated={() => {
            close();
            void queries.invalidateQueries({ queryKey: ["admin", "users"] });
          }}
        />
      )}
    </Page>
  );
}

function Filters({ email, find }: { email: string; find: (email: string) => void }) {
  const say = useSay();
  const me = useMe();
  const search = useSearch({ from: "/house/admin/users" });
  const navigate = useNavigate({ from: "/admin/users" });
  const [typed, setTyped] = useState(email);
  const filter = (change: typeof search) => void navigate({ search: { ...search, ...change }, replace: true });
  // Who of their staff is a patient, is not for a hospital to ask.
  const roles = ROLES.filter((role) => me.role === "admin" || role !== "patient");
  const send = (event: FormEvent) => {
    event.preventDefault();
    find(typed.trim());
  };
  return (
    <form onSubmit={send} className={layout.filterForm} aria-label={say("common.filters")}>
      <NativeSelect
        label={say("users.role")}
        value={search.role ?? ""}
        onChange={(event) => filter({ role: event.target.value })}
        data={[
          { value: "", label: say("users.any_role") },
          ...roles.map((role) => ({ value: role, label: sayOf("role", role) })),
        ]}
      />
      <NativeSelect
        label={say("users.state")}
        value={search.state ?? ""}
        onChange={(event) => filter({ state: event.target.value })}
        data={[
          { value: "", label: say("users.any_state") },
          { value: "active", label: say("users.state.active") },
          { value: "inactive", label: say("users.state.inactive") },
        ]}
      />
      <HospitalSelect
        value={search.hospital ?? ""}
        onChange={(hospital) => filter({ hospital })}
        none={say("users.any_hospital")}
      />
      <TextInput
        type="email"
        label={say("users.find_email")}
        placeholder={say("users.find_email_hint")}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          if (event.target.value === "") find("");
        }}
        autoComplete="off"
      />
      <Button type="submit" variant="default">
        {say("users.find")}
      </Button>
    </form>
  );
}
