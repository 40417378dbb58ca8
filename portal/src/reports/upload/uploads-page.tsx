// Upload log: every attempt, its outcome and reason.
import { Button, NativeSelect } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { UPLOAD_OUTCOMES } from "../../../../src/platform/db/vocabulary.ts";
import { HeldLink } from "../../monitoring/held/held-link.tsx";
import { useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { type Column, DataTable } from "../../platform/design/data-table.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Page } from "../../platform/design/page.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { formatFileSize } from "../file-size.ts";
import { SenderName } from "../sender-name.tsx";
import { isUploadOutcome, type UploadListItem, useUploads } from "./api.ts";
import { formatReason, OutcomeBadge } from "./outcome-badge.tsx";
import classes from "./uploads.module.css";

export function UploadsPage() {
  const t = useTranslation();
  const { outcome } = useSearch({ from: "/signed-in/uploads" });
  const navigate = useNavigate({ from: "/uploads" });
  const knownOutcome = isUploadOutcome(outcome) ? outcome : undefined;
  const query = useUploads(knownOutcome);
  const columns: Column<UploadListItem>[] = [
    { label: t("uploads.when"), cell: (upload) => <TimeCell upload={upload} /> },
    { label: t("uploads.outcome"), cell: (upload) => <OutcomeBadge outcome={upload.outcome} /> },
    { label: t("uploads.reason"), cell: ({ reason }) => formatReason(reason) },
    { label: t("uploads.who"), cell: (upload) => <SenderCell upload={upload} /> },
    { label: t("uploads.what"), cell: (upload) => <FileCell upload={upload} /> },
  ];
  return (
    <Page
      title={t("uploads.title")}
      actions={
        <>
          <Button component={Link} to="/uploads/quarantine" variant="default">
            {t("uploads.quarantine")}
          </Button>
          <HeldLink />
          <Button component={Link} to="/uploads/new">
            {t("reports.upload")}
          </Button>
        </>
      }
    >
      <search className={`${layout.filters} ${classes.filters}`} aria-label={t("common.filters")}>
        <NativeSelect
          label={t("uploads.outcome")}
          value={knownOutcome ?? ""}
          onChange={({ currentTarget: { value } }) => void navigate({ search: value ? { outcome: value } : {}, replace: true })}
          data={[
            { value: "", label: t("common.all") },
            ...UPLOAD_OUTCOMES.map((value) => ({ value, label: translateCode("upload_outcome", value) })),
          ]}
        />
      </search>
      <DataTable
        label={t("uploads.title")}
        query={query}
        columns={columns}
        rowKey={({ upload_id }) => upload_id}
        isFiltered={knownOutcome !== undefined}
        empty={t("uploads.none_yet")}
      />
    </Page>
  );
}

function TimeCell({ upload: { upload_id, created_at } }: { upload: UploadListItem }) {
  const zone = useOwnTimeZone();
  return (
    <Link to="/uploads/$uploadId" params={{ uploadId: upload_id }}>
      <time dateTime={created_at}>{formatDateTime(created_at, zone)}</time>
    </Link>
  );
}

/** Devices are identified by credential here; the upload page shows the device name. */
function SenderCell({ upload: { actor_kind, actor_id } }: { upload: UploadListItem }) {
  const t = useTranslation();
  return actor_kind === "device" ? t("reports.a_device") : <SenderName sender={{ kind: actor_kind, id: actor_id }} />;
}

function FileCell({ upload: { kind, file_name, file_size } }: { upload: UploadListItem }) {
  const parts = [kind && translateCode("report_kind", kind), file_name, file_size === null ? null : formatFileSize(file_size)];
  return parts.filter(Boolean).join(" · ") || "—";
}
