// Doctors and nurses with a profile, by specialty.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { queries } from "../api/queries.ts";
import { Confirm } from "../design/confirm.tsx";
import { type Column, DataTable, PAGES } from "../design/data-table.tsx";
import { Dialog } from "../design/dialog.tsx";
import layout from "../design/layout.module.css";
import { Card, Page } from "../design/page.tsx";
import { sayOf, useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { changePractitioner, listPractitioners, type Practitioner, type PractitionerFilters } from "./api.ts";
import { NewPractitioner } from "./new-practitioner.tsx";
import { PractitionerForm } from "./practitioner-form.tsx";

type Act = { act: "new" } | { act: "edit" | "active"; whose: Practitioner };

export function PractitionersPage() {
  const say = useSay();
  const isAdmin = useMe().role === "admin";
  const { specialty, role } = useSearch({ from: "/house/admin/practitioners" });
  const [open, setOpen] = useState<Act | null>(null);
  const filters: PractitionerFilters = {
    ...(specialty && { specialty }),
    ...((role === "doctor" || role === "nurse") && { role }),
  };
  const query = useInfiniteQuery({
    queryKey: ["admin", "practitioners", "list", filters],
    queryFn: ({ pageParam }) => listPractitioners(filters, pageParam),
    ...PAGES,
  });
  const where: Column<Practitioner> = { label: say("hospitals.hospital"), cell: ({ hospital }) => hospital.name };
  const columns: Column<Practitioner>[] = [
    {
      label: say("practitioners.name"),
      cell: ({ user_id, full_name }) => (
        <Link to="/admin/users/$userId" params={{ userId: user_id }}>
          {full_name}
        </Link>
      ),
    },
    { label: say("practitioners.role"), cell: (one) => sayOf("role", one.role) },
    { label: say("practitioners.specialty"), cell: (one) => one.specialty ?? say("common.none") },
    { label: say("practitioners.registration"), cell: (one) => one.registration_number ?? say("common.none") },
    ...(isAdmin ? [where] : []),
    {
      label: say("practitioners.state"),
      cell: ({ is_active }) => say(is_active ? "practitioners.state.active" : "practitioners.state.inactive"),
    },
    {
      label: say("common.edit"),
      align: "end",
      cell: (whose) => (
        <div className={`${layout.endActs} ${layout.wideActs}`}>
          <Button size="xs" variant="default" onClick={() => setOpen({ act: "edit", whose })}>
            {say("common.edit")}
          </Button>
          <Button
            size="xs"
            variant={whose.is_active ? "outline" : "default"}
            {...(whose.is_active && { color: "red" })}
            onClick={() => setOpen({ act: "active", whose })}
          >
            {say(whose.is_active ? "practitioners.deactivate" : "practitioners.activate")}
          </Button>
        </div>
      ),
    },
  ];
  const close = () => setOpen(null);
  return (
    <Page
      title={say("nav.practitioners")}
      actions={<Button onClick={() => setOpen({ act: "new" })}>{say("practitioners.new")}</Button>}
    >
      <Card>
        <Filters />
        <DataTable
          label={say("nav.practitioners")}
          columns={columns}
          query={query}
          keyOf={({ practitioner_id }) => practitioner_id}
          filtered={Object.keys(filters).length > 0}
          empty={say("practitioners.none")}
        />
      </Card>
      {open?.act === "new" && <NewPractitioner onClose={close} />}
      {open?.act === "edit" && <Edit whose={open.whose} onClose={close} />}
      {open?.act === "active" && <Activity whose={open.whose} onClose={close} />}
    </Page>
  );
}

const changed = () => queries.invalidateQueries({ queryKey: ["admin", "practitioners"] });

function Edit({ whose, onClose }: { whose: Practitioner; onClose: () => void }) {
  const say = useSay();
  return (
    <Dialog title={say("practitioners.edit_title", { name: whose.full_name })} onClose={onClose}>
      <PractitionerForm
        before={whose}
        submit={say("common.save")}
        onCancel={onClose}
        onSubmit={async (told) => {
          await changePractitioner(whose, told).finally(changed);
          onClose();
        }}
      />
    </Dialog>
  );
}

function Activity({ whose, onClose }: { whose: Practitioner; onClose: () => void }) {
  const say = useSay();
  const { full_name: name, is_active } = whose;
  return (
    <Confirm
      title={say(is_active ? "practitioners.deactivate_title" : "practitioners.activate_title", { name })}
      act={say(is_active ? "practitioners.deactivate" : "practitioners.activate")}
      risky={is_active}
      onConfirm={() => changePractitioner(whose, { is_active: !is_active }).finally(changed)}
      onClose={onClose}
    >
      <p>{say(is_active ? "practitioners.deactivate_text" : "practitioners.activate_text")}</p>
    </Confirm>
  );
}

function Filters() {
  const say = useSay();
  const search = useSearch({ from: "/house/admin/practitioners" });
  const navigate = useNavigate({ from: "/admin/practitioners" });
  const [specialty, setSpecialty] = useState(search.specialty ?? "");
  const filter = (change: typeof search) => void navigate({ search: { ...search, ...change }, replace: true });
  const send = (event: FormEvent) => {
    event.preventDefault();
    filter({ specialty: specialty.trim() });
  };
  return (
    <form onSubmit={send} className={layout.filterForm} aria-label={say("common.filters")}>
      <NativeSelect
        label={say("practitioners.role")}
        value={search.role ?? ""}
        onChange={(event) => filter({ role: event.target.value })}
        data={[
          { value: "", label: say("practitioners.any_role") },
          { value: "doctor", label: say("role.doctor") },
          { value: "nurse", label: say("role.nurse") },
        ]}
      />
      <TextInput
        label={say("practitioners.specialty")}
        placeholder={say("practitioners.specialty_hint")}
        value={specialty}
        onChange={(event) => setSpecialty(event.target.value)}
      />
      <Button type="submit" variant="default">
        {say("practitioners.find")}
      </Button>
    </form>
  );
}
