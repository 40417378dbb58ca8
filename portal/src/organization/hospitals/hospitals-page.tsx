// List of hospitals that the caller may see; platform administrators can add hospitals.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useMe } from "../../accounts/session/use-session.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { type Column, CURSOR_PAGINATION, DataTable } from "../../platform/design/data-table.tsx";
import { Dialog } from "../../platform/design/dialog.tsx";
import { formatDate } from "../../platform/design/format.ts";
import { Card, Page } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { createHospital, type Hospital, listHospitals } from "./api.ts";
import { HospitalForm } from "./hospital-form.tsx";

export function HospitalsPage() {
  const t = useTranslation();
  const { role } = useMe();
  const [isAdding, setIsAdding] = useState(false);
  const query = useInfiniteQuery({
    queryKey: ["admin", "hospitals", "list"],
    queryFn: ({ pageParam }) => listHospitals(pageParam),
    ...CURSOR_PAGINATION,
  });
  const columns: Column<Hospital>[] = [
    {
      label: t("hospitals.name"),
      cell: ({ hospital_id, name }) => (
        <Link to="/admin/hospitals/$hospitalId" params={{ hospitalId: hospital_id }}>
          {name}
        </Link>
      ),
    },
    {
      label: t("hospitals.state"),
      cell: ({ is_active }) => t(is_active ? "hospitals.state.active" : "hospitals.state.inactive"),
    },
    { label: t("hospitals.time_zone"), cell: ({ time_zone }) => time_zone },
    { label: t("hospitals.phone"), cell: ({ phone }) => phone ?? t("common.none") },
    { label: t("hospitals.created_at"), cell: ({ created_at }) => formatDate(created_at) },
  ];
  const addButton = role === "admin" && <Button onClick={() => setIsAdding(true)}>{t("hospitals.new")}</Button>;
  return (
    <Page title={t("nav.hospitals")} actions={addButton}>
      <Card>
        <DataTable
          label={t("nav.hospitals")}
          columns={columns}
          query={query}
          rowKey={({ hospital_id }) => hospital_id}
          empty={t("hospitals.none")}
        />
      </Card>
      {isAdding && <NewHospitalDialog onClose={() => setIsAdding(false)} />}
    </Page>
  );
}

function NewHospitalDialog({ onClose }: { onClose: () => void }) {
  const t = useTranslation();
  const navigate = useNavigate();
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  return (
    <Dialog title={t("hospitals.new")} onClose={onClose}>
      <HospitalForm
        submitLabel={t("hospitals.new")}
        onCancel={onClose}
        onSubmit={async (input) => {
          const { hospital_id } = await createHospital(input, idempotencyKey);
          void queryClient.invalidateQueries({ queryKey: ["admin", "hospitals"] });
          await navigate({ to: "/admin/hospitals/$hospitalId", params: { hospitalId: hospital_id } });
        }}
      />
    </Dialog>
  );
}
