// All hospitals that the caller may know; administrators of the platform add new ones.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { queries } from "../api/queries.ts";
import { type Column, DataTable, PAGES } from "../design/data-table.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Card, Page } from "../design/page.tsx";
import { date } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { createHospital, type Hospital, listHospitals } from "./api.ts";
import { HospitalForm } from "./hospital-form.tsx";

export function HospitalsPage() {
  const say = useSay();
  const { role } = useMe();
  const [adding, setAdding] = useState(false);
  const query = useInfiniteQuery({
    queryKey: ["admin", "hospitals", "list"],
    queryFn: ({ pageParam }) => listHospitals(pageParam),
    ...PAGES,
  });
  const columns: Column<Hospital>[] = [
    {
      label: say("hospitals.name"),
      cell: ({ hospital_id, name }) => (
        <Link to="/admin/hospitals/$hospitalId" params={{ hospitalId: hospital_id }}>
          {name}
        </Link>
      ),
    },
    {
      label: say("hospitals.state"),
      cell: ({ is_active }) => say(is_active ? "hospitals.state.active" : "hospitals.state.inactive"),
    },
    { label: say("hospitals.time_zone"), cell: ({ time_zone }) => time_zone },
    { label: say("hospitals.phone"), cell: ({ phone }) => phone ?? say("common.none") },
    { label: say("hospitals.created_at"), cell: ({ created_at, time_zone }) => date(created_at, time_zone) },
  ];
  const add = role === "admin" && <Button onClick={() => setAdding(true)}>{say("hospitals.new")}</Button>;
  return (
    <Page title={say("nav.hospitals")} actions={add}>
      <Card>
        <DataTable
          label={say("nav.hospitals")}
          columns={columns}
          query={query}
          keyOf={({ hospital_id }) => hospital_id}
          empty={say("hospitals.none")}
        />
      </Card>
      {adding && <NewHospital onClose={() => setAdding(false)} />}
    </Page>
  );
}

function NewHospital({ onClose }: { onClose: () => void }) {
  const say = useSay();
  const navigate = useNavigate();
  const [key] = useState(() => crypto.randomUUID());
  return (
    <Dialog title={say("hospitals.new")} onClose={onClose}>
      <HospitalForm
        submit={say("hospitals.new")}
        onCancel={onClose}
        onSubmit={async (input) => {
          const { hospital_id } = await createHospital(input, key);
          void queries.invalidateQueries({ queryKey: ["admin", "hospitals"] });
          await navigate({ to: "/admin/hospitals/$hospitalId", params: { hospitalId: hospital_id } });
        }}
      />
    </Dialog>
  );
}
