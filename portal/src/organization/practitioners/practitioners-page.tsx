// List of practitioner profiles, filtered by specialty.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useMe } from "../../accounts/session/use-session.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { type Column, CURSOR_PAGINATION, DataTable } from "../../platform/design/data-table.tsx";
import { Dialog } from "../../platform/design/dialog.tsx";
import layout from "../../platform/design/layout.module.css";
import { Card, Page } from "../../platform/design/page.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { changePractitioner, listPractitioners, type Practitioner, type PractitionerFilters } from "./api.ts";
import { NewPractitionerDialog } from "./new-practitioner-dialog.tsx";
import { PractitionerForm } from "./practitioner-form.tsx";

type OpenDialog = { kind: "new" } | { kind: "edit" | "active"; practitioner: Practitioner };

export function PractitionersPage() {
  const t = useTranslation();
  const isAdmin = useMe().role === "admin";
  const { specialty, role } = useSearch({ from: "/signed-in/admin/practitioners" });
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const filters: PractitionerFilters = {
    ...(specialty && { specialty }),
    ...((role === "doctor" || role === "nurse") && { role }),
  };
  const query = useInfiniteQuery({
    queryKey: ["admin", "practitioners", "list", filters],
    queryFn: ({ pageParam }) => listPractitioners(filters, pageParam),
    ...CURSOR_PAGINATION,
  });
  const hospitalColumn: Column<Practitioner> = { label: t("hospitals.hospital"), cell: ({ hospital }) => hospital.name };
  const columns: Column<Practitioner>[] = [
    {
      label: t("practitioners.name"),
      cell: ({ user_id, full_name }) => (
        <Link to="/admin/users/$userId" params={{ userId: user_id }}>
          {full_name}
        </Link>
      ),
    },
    { label: t("practitioners.role"), cell: (practitioner) => translateCode("role", practitioner.role) },
    { label: t("practitioners.specialty"), cell: (practitioner) => practitioner.specialty ?? t("common.none") },
    { label: t("practitioners.registration"), cell: (practitioner) => practitioner.registration_number ?? t("common.none") },
    ...(isAdmin ? [hospitalColumn] : []),
    {
      label: t("practitioners.state"),
      cell: ({ is_active }) => t(is_active ? "practitioners.state.active" : "practitioners.state.inactive"),
    },
    {
      label: t("common.edit"),
      align: "end",
      cell: (practitioner) => (
        <div className={`${layout.endActs} ${layout.wideActs}`}>
          <Button size="xs" variant="default" onClick={() => setDialog({ kind: "edit", practitioner })}>
            {t("common.edit")}
          </Button>
          <Button
            size="xs"
            variant={practitioner.is_active ? "outline" : "default"}
            {...(practitioner.is_active && { color: "red" })}
            onClick={() => setDialog({ kind: "active", practitioner })}
          >
            {t(practitioner.is_active ? "practitioners.deactivate" : "practitioners.activate")}
          </Button>
        </div>
      ),
    },
  ];
  const closeDialog = () => setDialog(null);
  return (
    <Page
      title={t("nav.practitioners")}
      actions={<Button onClick={() => setDialog({ kind: "new" })}>{t("practitioners.new")}</Button>}
    >
      <Card>
        <PractitionerFilterForm />
        <DataTable
          label={t("nav.practitioners")}
          columns={columns}
          query={query}
          rowKey={({ practitioner_id }) => practitioner_id}
          isFiltered={Object.keys(filters).length > 0}
          empty={t("practitioners.none")}
        />
      </Card>
      {dialog?.kind === "new" && <NewPractitionerDialog onClose={closeDialog} />}
      {dialog?.kind === "edit" && <EditProfileDialog practitioner={dialog.practitioner} onClose={closeDialog} />}
      {dialog?.kind === "active" && <ActivationDialog practitioner={dialog.practitioner} onClose={closeDialog} />}
    </Page>
  );
}

const invalidatePractitioners = () => queryClient.invalidateQueries({ queryKey: ["admin", "practitioners"] });

function EditProfileDialog({ practitioner, onClose }: { practitioner: Practitioner; onClose: () => void }) {
  const t = useTranslation();
  return (
    <Dialog title={t("practitioners.edit_title", { name: practitioner.full_name })} onClose={onClose}>
      <PractitionerForm
        initial={practitioner}
        submitLabel={t("common.save")}
        onCancel={onClose}
        onSubmit={async (profile) => {
          await changePractitioner(practitioner, profile).finally(invalidatePractitioners);
          onClose();
        }}
      />
    </Dialog>
  );
}

function ActivationDialog({ practitioner, onClose }: { practitioner: Practitioner; onClose: () => void }) {
  const t = useTranslation();
  const { full_name: name, is_active } = practitioner;
  return (
    <ConfirmDialog
      title={t(is_active ? "practitioners.deactivate_title" : "practitioners.activate_title", { name })}
      confirmLabel={t(is_active ? "practitioners.deactivate" : "practitioners.activate")}
      isDangerous={is_active}
      onConfirm={() => changePractitioner(practitioner, { is_active: !is_active }).finally(invalidatePractitioners)}
      onClose={onClose}
    >
      <p>{t(is_active ? "practitioners.deactivate_text" : "practitioners.activate_text")}</p>
    </ConfirmDialog>
  );
}

function PractitionerFilterForm() {
  const t = useTranslation();
  const search = useSearch({ from: "/signed-in/admin/practitioners" });
  const navigate = useNavigate({ from: "/admin/practitioners" });
  const [specialty, setSpecialty] = useState(search.specialty ?? "");
  const updateSearch = (change: typeof search) => void navigate({ search: { ...search, ...change }, replace: true });
  const handleSubmit = (event: FormEvent) => {
    event.preventDefault();
    updateSearch({ specialty: specialty.trim() });
  };
  return (
    <form onSubmit={handleSubmit} className={layout.filterForm} aria-label={t("common.filters")}>
      <NativeSelect
        label={t("practitioners.role")}
        value={search.role ?? ""}
        onChange={(event) => updateSearch({ role: event.target.value })}
        data={[
          { value: "", label: t("practitioners.any_role") },
          { value: "doctor", label: t("role.doctor") },
          { value: "nurse", label: t("role.nurse") },
        ]}
      />
      <TextInput
        label={t("practitioners.specialty")}
        placeholder={t("practitioners.specialty_hint")}
        value={specialty}
        onChange={(event) => setSpecialty(event.target.value)}
      />
      <Button type="submit" variant="default">
        {t("practitioners.find")}
      </Button>
    </form>
  );
}
