// Quarantined files that need review.
import { Button, Modal, NativeSelect } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { QUARANTINE_REASONS } from "../../../../src/platform/db/vocabulary.ts";
import { HeldLink } from "../../monitoring/held/held-link.tsx";
import { useServerNow } from "../../monitoring/live/use-live.ts";
import { type Column, DataTable } from "../../platform/design/data-table.tsx";
import { formatAge } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { LinkButton } from "../../platform/design/link-button.tsx";
import { Page } from "../../platform/design/page.tsx";
import { useRestoreFocus } from "../../platform/design/restore-focus.ts";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { SenderName } from "../sender-name.tsx";
import { type UploadDetail, useQuarantine } from "../upload/api.ts";
import { formatReason } from "../upload/outcome-badge.tsx";
import classes from "../upload/uploads.module.css";
import { RejectDialog } from "./reject-dialog.tsx";
import { UploadPreview } from "./upload-preview.tsx";

type OpenDialog = { kind: "preview" | "reject"; upload: UploadDetail } | null;

export function QuarantinePage() {
  const t = useTranslation();
  const { reason } = useSearch({ from: "/signed-in/uploads/quarantine" });
  const navigate = useNavigate({ from: "/uploads/quarantine" });
  const [dialog, setDialog] = useState<OpenDialog>(null);
  const query = useQuarantine(reason);
  const closeDialog = () => setDialog(null);
  const columns: Column<UploadDetail>[] = [
    {
      label: t("uploads.reason"),
      cell: (upload) => (
        <Link to="/uploads/$uploadId" params={{ uploadId: upload.upload_id }}>
          {formatReason(upload.reason)}
        </Link>
      ),
    },
    { label: t("uploads.sent_by"), cell: (upload) => <UploadSender upload={upload} /> },
    { label: t("uploads.waiting_for"), cell: ({ created_at }) => <WaitingTime since={created_at} /> },
    { label: t("uploads.claimed"), cell: getClaimedPatient },
    {
      label: t("uploads.what"),
      cell: ({ kind, file_name }) => [kind && translateCode("report_kind", kind), file_name].filter(Boolean).join(" · ") || "—",
    },
    { label: t("uploads.acts"), cell: (upload) => <RowActions upload={upload} onOpen={setDialog} /> },
  ];
  return (
    <Page title={t("uploads.quarantine")} actions={<HeldLink />}>
      <search className={`${layout.filters} ${classes.filters}`} aria-label={t("common.filters")}>
        <NativeSelect
          label={t("uploads.reason")}
          value={reason ?? ""}
          onChange={({ currentTarget: { value } }) => void navigate({ search: value ? { reason: value } : {}, replace: true })}
          data={[
            { value: "", label: t("common.all") },
            ...QUARANTINE_REASONS.map((value) => ({ value, label: formatReason(value) })),
          ]}
        />
      </search>
      <DataTable
        label={t("uploads.quarantine")}
        query={query}
        columns={columns}
        rowKey={({ upload_id }) => upload_id}
        isFiltered={reason !== undefined}
        empty={t("uploads.quarantine_empty")}
      />
      {dialog?.kind === "preview" && <PreviewDialog upload={dialog.upload} onClose={closeDialog} />}
      {dialog?.kind === "reject" && <RejectDialog uploadId={dialog.upload.upload_id} onClose={closeDialog} />}
    </Page>
  );
}

function PreviewDialog({ upload, onClose }: { upload: UploadDetail; onClose: () => void }) {
  const t = useTranslation();
  useRestoreFocus();
  return (
    <Modal
      opened
      size="xl"
      onClose={onClose}
      title={upload.file_name ?? t("uploads.preview")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <UploadPreview upload={upload} />
    </Modal>
  );
}

function RowActions({ upload, onOpen }: { upload: UploadDetail; onOpen: (dialog: OpenDialog) => void }) {
  const t = useTranslation();
  const name = upload.file_name ?? upload.upload_id;
  const withFileName = (act: string) => `${act}: ${name}`;
  return (
    <div className={layout.acts}>
      <Button
        variant="default"
        size="compact-sm"
        onClick={() => onOpen({ kind: "preview", upload })}
        aria-label={withFileName(t("uploads.preview"))}
      >
        {t("uploads.preview")}
      </Button>
      <LinkButton
        to="/uploads/$uploadId"
        params={{ uploadId: upload.upload_id }}
        size="compact-sm"
        aria-label={withFileName(t("uploads.assign_act"))}
      >
        {t("uploads.assign_act")}
      </LinkButton>
      <Button
        variant="default"
        size="compact-sm"
        onClick={() => onOpen({ kind: "reject", upload })}
        aria-label={withFileName(t("uploads.reject_act"))}
      >
        {t("uploads.reject_act")}
      </Button>
    </div>
  );
}

export function UploadSender({ upload: { actor_kind, actor_id, device_id } }: { upload: UploadDetail }) {
  const t = useTranslation();
  if (actor_kind !== "device") return <SenderName sender={{ kind: actor_kind, id: actor_id }} />;
  return device_id ? <SenderName sender={{ kind: "device", id: device_id }} isOneOfMany /> : t("reports.a_device");
}

function WaitingTime({ since }: { since: string }) {
  const now = useServerNow();
  return <time dateTime={since}>{formatAge((now - Date.parse(since)) / 1000)}</time>;
}

/** The patient that the device sent, unverified. */
export function getClaimedPatient({ fields }: Pick<UploadDetail, "fields">): string {
  const patientId = fields["patient_id"];
  return typeof patientId === "string" || typeof patientId === "number" ? String(patientId) : "—";
}
