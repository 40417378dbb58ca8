// Wards of a hospital: create, rename, settings, close, reopen, and delete when empty.
import { Button, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { type Column, CURSOR_PAGINATION, DataTable } from "../../platform/design/data-table.tsx";
import { Dialog } from "../../platform/design/dialog.tsx";
import { Form, validateRequired } from "../../platform/design/form.tsx";
import layout from "../../platform/design/layout.module.css";
import { Card } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { EscalationDialog } from "../escalation/escalation-dialog.tsx";
import { WardStaffDialog } from "../escalation/ward-staff-dialog.tsx";
import { changeWard, createWard, deleteWard, type Hospital, listWards, type Ward } from "../hospitals/api.ts";
import { WardSettings } from "./ward-settings.tsx";

type OpenDialog =
  | { kind: "rename" | "settings" | "escalation" | "staff" | "close" | "reopen" | "delete"; ward: Ward }
  | { kind: "new" };

export function Wards({ hospital: { hospital_id, is_active, time_zone } }: { hospital: Hospital }) {
  const t = useTranslation();
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const queryKey = ["admin", "wards", hospital_id];
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => listWards(hospital_id, pageParam),
    ...CURSOR_PAGINATION,
  });
  const onChanged = () =>
    Promise.all([queryClient.invalidateQueries({ queryKey }), queryClient.invalidateQueries({ queryKey: ["wards"] })]);
  const columns: Column<Ward>[] = [
    {
      label: t("hospitals.ward"),
      cell: ({ name, news2_profile, trend_mark }) => (
        <>
          {name}
          {news2_profile === "sustained" && <div className={layout.note}>{t("wards.sustained_label")}</div>}
          {trend_mark && <div className={layout.note}>{t("wards.trend_mark_label")}</div>}
        </>
      ),
    },
    {
      label: t("hospitals.state"),
      cell: ({ is_active: isOpen }) => t(isOpen ? "hospitals.ward_open" : "hospitals.ward_closed"),
    },
    { label: t("hospitals.patients"), cell: ({ patient_count }) => patient_count, align: "end" },
    {
      label: t("common.edit"),
      align: "end",
      cell: (ward) => (
        <div className={layout.endActs}>
          <Button size="xs" variant="default" onClick={() => setDialog({ kind: "rename", ward })}>
            {t("hospitals.rename")}
          </Button>
          <Button size="xs" variant="default" onClick={() => setDialog({ kind: "settings", ward })}>
            {t("wards.settings")}
          </Button>
          <Button size="xs" variant="default" onClick={() => setDialog({ kind: "escalation", ward })}>
            {t("escalation.ward")}
          </Button>
          <Button size="xs" variant="default" onClick={() => setDialog({ kind: "staff", ward })}>
            {t("escalation.who_hears")}
          </Button>
          <Button size="xs" variant="default" onClick={() => setDialog({ kind: ward.is_active ? "close" : "reopen", ward })}>
            {t(ward.is_active ? "hospitals.close_ward" : "hospitals.reopen_ward")}
          </Button>
          <Button size="xs" variant="outline" color="red" onClick={() => setDialog({ kind: "delete", ward })}>
            {t("common.delete")}
          </Button>
        </div>
      ),
    },
  ];
  const addButton = is_active && <Button onClick={() => setDialog({ kind: "new" })}>{t("hospitals.new_ward")}</Button>;
  return (
    <Card title={t("hospitals.wards")} actions={addButton}>
      <DataTable
        label={t("hospitals.wards")}
        columns={columns}
        query={query}
        rowKey={({ ward_id }) => ward_id}
        empty={t("hospitals.no_wards")}
      />
      {dialog && (
        <WardDialog
          dialog={dialog}
          hospitalId={hospital_id}
          zone={time_zone}
          onChanged={onChanged}
          onClose={() => setDialog(null)}
        />
      )}
    </Card>
  );
}

type WardDialogProps = {
  dialog: OpenDialog;
  hospitalId: string;
  zone: string;
  onChanged: () => Promise<unknown>;
  onClose: () => void;
};

function WardDialog({ dialog, hospitalId, zone, onChanged, onClose }: WardDialogProps) {
  const t = useTranslation();
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  if (dialog.kind === "new") {
    const create = (name: string) => createWard(hospitalId, name, idempotencyKey);
    return <WardNameDialog title={t("hospitals.new_ward")} onSubmit={create} onChanged={onChanged} onClose={onClose} />;
  }
  const { ward } = dialog;
  const { name } = ward;
  if (dialog.kind === "settings") return <WardSettings ward={ward} zone={zone} onChanged={onChanged} onClose={onClose} />;
  if (dialog.kind === "escalation")
    return <EscalationDialog scope={{ kind: "ward", id: ward.ward_id }} name={name} onClose={onClose} />;
  if (dialog.kind === "staff") return <WardStaffDialog ward={ward} onChanged={onChanged} onClose={onClose} />;
  if (dialog.kind === "rename") {
    const title = t("hospitals.rename_title", { name });
    const rename = (newName: string) => changeWard(ward, { name: newName });
    return <WardNameDialog title={title} name={name} onSubmit={rename} onChanged={onChanged} onClose={onClose} />;
  }
  if (dialog.kind === "delete") {
    const errorMessages = { conflict: t("hospitals.occupied") };
    return (
      <ConfirmDialog
        title={t("hospitals.delete_ward", { name })}
        confirmLabel={t("common.delete")}
        disabled={ward.patient_count > 0}
        onConfirm={() => withErrorMessages(deleteWard(ward), errorMessages).finally(onChanged)}
        onClose={onClose}
      >
        <p>{t(ward.patient_count > 0 ? "hospitals.occupied" : "hospitals.delete_text")}</p>
      </ConfirmDialog>
    );
  }
  const isClosing = dialog.kind === "close";
  return (
    <ConfirmDialog
      title={t(isClosing ? "hospitals.close_title" : "hospitals.reopen_title", { name })}
      confirmLabel={t(isClosing ? "hospitals.close_ward" : "hospitals.reopen_ward")}
      isDangerous={false}
      onConfirm={() => changeWard(ward, { is_active: !isClosing }).finally(onChanged)}
      onClose={onClose}
    >
      {isClosing && <p>{t("hospitals.close_text")}</p>}
    </ConfirmDialog>
  );
}

type WardNameDialogProps = {
  title: string;
  name?: string;
  onSubmit: (name: string) => Promise<unknown>;
  onChanged: () => Promise<unknown>;
  onClose: () => void;
};

function WardNameDialog({ title, name: initialName = "", onSubmit, onChanged, onClose }: WardNameDialogProps) {
  const t = useTranslation();
  const [name, setName] = useState(initialName);
  return (
    <Dialog title={title} onClose={onClose}>
      <Form
        submitLabel={t("common.save")}
        validate={() => validateRequired({ name })}
        onCancel={onClose}
        onSubmit={async () => {
          await withErrorMessages(onSubmit(name.trim()), { already_exists: t("hospitals.ward_taken") }).finally(onChanged);
          onClose();
        }}
        labels={{ name: t("hospitals.ward_name") }}
      >
        {(field) => (
          <TextInput
            {...field("name")}
            label={t("hospitals.ward_name")}
            value={name}
            onChange={(event) => setName(event.target.value)}
            data-autofocus
          />
        )}
      </Form>
    </Dialog>
  );
}
