// The wards of a hospital: new ones, other names, closed and opened, deleted while nobody lies there.
import { Button, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { explained } from "../api/problem.ts";
import { queries } from "../api/queries.ts";
import { Confirm } from "../design/confirm.tsx";
import { type Column, DataTable, PAGES } from "../design/data-table.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Form, requiredIn } from "../design/form.tsx";
import layout from "../design/layout.module.css";
import { Card } from "../design/page.tsx";
import { useSay } from "../messages/index.ts";
import { changeWard, createWard, deleteWard, type Hospital, listWards, type Ward } from "./api.ts";

type Act = { act: "rename" | "close" | "reopen" | "delete"; ward: Ward } | { act: "new" };

export function Wards({ hospital: { hospital_id, is_active } }: { hospital: Hospital }) {
  const say = useSay();
  const [open, setOpen] = useState<Act | null>(null);
  const queryKey = ["admin", "wards", hospital_id];
  const query = useInfiniteQuery({ queryKey, queryFn: ({ pageParam }) => listWards(hospital_id, pageParam), ...PAGES });
  const changed = () => queries.invalidateQueries({ queryKey });
  const columns: Column<Ward>[] = [
    { label: say("hospitals.ward"), cell: ({ name }) => name },
    {
      label: say("hospitals.state"),
      cell: ({ is_active: opened }) => say(opened ? "hospitals.ward_open" : "hospitals.ward_closed"),
    },
    { label: say("hospitals.patients"), cell: ({ patient_count }) => patient_count, align: "end" },
    {
      label: say("common.edit"),
      align: "end",
      cell: (ward) => (
        <div className={layout.endActs}>
          <Button size="xs" variant="default" onClick={() => setOpen({ act: "rename", ward })}>
            {say("hospitals.rename")}
          </Button>
          <Button size="xs" variant="default" onClick={() => setOpen({ act: ward.is_active ? "close" : "reopen", ward })}>
            {say(ward.is_active ? "hospitals.close_ward" : "hospitals.reopen_ward")}
          </Button>
          <Button size="xs" variant="outline" color="red" onClick={() => setOpen({ act: "delete", ward })}>
            {say("common.delete")}
          </Button>
        </div>
      ),
    },
  ];
  const add = is_active && <Button onClick={() => setOpen({ act: "new" })}>{say("hospitals.new_ward")}</Button>;
  return (
    <Card title={say("hospitals.wards")} actions={add}>
      <DataTable
        label={say("hospitals.wards")}
        columns={columns}
        query={query}
        keyOf={({ ward_id }) => ward_id}
        empty={say("hospitals.no_wards")}
      />
      {open && <WardAct open={open} hospitalId={hospital_id} changed={changed} onClose={() => setOpen(null)} />}
    </Card>
  );
}

type WardActProps = { open: Act; hospitalId: string; changed: () => Promise<unknown>; onClose: () => void };

function WardAct({ open, hospitalId, changed, onClose }: WardActProps) {
  const say = useSay();
  const [key] = useState(() => crypto.randomUUID());
  if (open.act === "new") {
    const create = (name: string) => createWard(hospitalId, name, key);
    return <WardName title={say("hospitals.new_ward")} send={create} changed={changed} onClose={onClose} />;
  }
  const { ward } = open;
  const { name } = ward;
  if (open.act === "rename") {
    const title = say("hospitals.rename_title", { name });
    const rename = (next: string) => changeWard(ward, { name: next });
    return <WardName title={title} name={name} send={rename} changed={changed} onClose={onClose} />;
  }
  if (open.act === "delete") {
    const words = { conflict: say("hospitals.occupied") };
    return (
      <Confirm
        title={say("hospitals.delete_ward", { name })}
        act={say("common.delete")}
        disabled={ward.patient_count > 0}
        onConfirm={() => explained(deleteWard(ward), words).finally(changed)}
        onClose={onClose}
      >
        <p>{say(ward.patient_count > 0 ? "hospitals.occupied" : "hospitals.delete_text")}</p>
      </Confirm>
    );
  }
  const closing = open.act === "close";
  return (
    <Confirm
      title={say(closing ? "hospitals.close_title" : "hospitals.reopen_title", { name })}
      act={say(closing ? "hospitals.close_ward" : "hospitals.reopen_ward")}
      risky={false}
      onConfirm={() => changeWard(ward, { is_active: !closing }).finally(changed)}
      onClose={onClose}
    >
      {closing && <p>{say("hospitals.close_text")}</p>}
    </Confirm>
  );
}

type WardNameProps = {
  title: string;
  name?: string;
  send: (name: string) => Promise<unknown>;
  changed: () => Promise<unknown>;
  onClose: () => void;
};

function WardName({ title, name: before = "", send, changed, onClose }: WardNameProps) {
  const say = useSay();
  const [name, setName] = useState(before);
  return (
    <Dialog title={title} onClose={onClose}>
      <Form
        submit={say("common.save")}
        check={() => requiredIn({ name })}
        onCancel={onClose}
        onSubmit={async () => {
          await explained(send(name.trim()), { already_exists: say("hospitals.ward_taken") }).finally(changed);
          onClose();
        }}
        labels={{ name: say("hospitals.ward_name") }}
      >
        {(field) => (
          <TextInput
            {...field("name")}
            label={say("hospitals.ward_name")}
            value={name}
            onChange={(event) => setName(event.target.value)}
            data-autofocus
          />
        )}
      </Form>
    </Dialog>
  );
}
