// The log: every attempt to send a report, what became of it, and why.
import { Button, NativeSelect } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { UPLOAD_OUTCOMES } from "../../../src/platform/db/vocabulary.ts";
import { type Column, DataTable } from "../design/data-table.tsx";
import layout from "../design/layout.module.css";
import { Page } from "../design/page.tsx";
import { dateTime } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { useZone } from "../reports/api.ts";
import { sizeOf } from "../reports/file-size.ts";
import { SenderName } from "../reports/sender.tsx";
import { isOutcome, type ListedUpload, useUploads } from "./api.ts";
import { OutcomeBadge, reasonText } from "./outcome.tsx";
import classes from "./uploads.module.css";

export function UploadsPage() {
  const say = useSay();
  const { outcome } = useSearch({ from: "/house/uploads" });
  const navigate = useNavigate({ from: "/uploads" });
  const known = isOutcome(outcome) ? outcome : undefined;
  const query = useUploads(known);
  const columns: Column<ListedUpload>[] = [
    { label: say("uploads.when"), cell: (upload) => <When upload={upload} /> },
    { label: say("uploads.outcome"), cell: (upload) => <OutcomeBadge outcome={upload.outcome} /> },
    { label: say("uploads.reason"), cell: ({ reason }) => reasonText(reason) },
    { label: say("uploads.who"), cell: (upload) => <Who upload={upload} /> },
    { label: say("uploads.what"), cell: (upload) => <What upload={upload} /> },
  ];
  return (
    <Page
      title={say("uploads.title")}
      actions={
        <>
          <Button component={Link} to="/uploads/quarantine" variant="default">
            {say("uploads.quarantine")}
          </Button>
          <Button component={Link} to="/uploads/new">
            {say("reports.upload")}
          </Button>
        </>
      }
    >
      <search className={`${layout.filters} ${classes.filters}`} aria-label={say("common.filters")}>
        <NativeSelect
          label={say("uploads.outcome")}
          value={known ?? ""}
          onChange={({ currentTarget: { value } }) => void navigate({ search: value ? { outcome: value } : {}, replace: true })}
          data={[
            { value: "", label: say("common.all") },
            ...UPLOAD_OUTCOMES.map((value) => ({ value, label: sayOf("upload_outcome", value) })),
          ]}
        />
      </search>
      <DataTable
        label={say("uploads.title")}
        query={query}
        columns={columns}
        keyOf={({ upload_id }) => upload_id}
        filtered={known !== undefined}
        empty={say("uploads.none_yet")}
      />
    </Page>
  );
}

function When({ upload: { upload_id, created_at, hospital_id } }: { upload: ListedUpload }) {
  const zone = useZone(hospital_id);
  return (
    <Link to="/uploads/$uploadId" params={{ uploadId: upload_id }}>
      <time dateTime={created_at}>{dateTime(created_at, zone)}</time>
    </Link>
  );
}

/** A machine is named by its credential here; its own page of the upload names the device. */
function Who({ upload: { actor_kind, actor_id } }: { upload: ListedUpload }) {
  const say = useSay();
  return actor_kind === "device" ? say("reports.a_device") : <SenderName sender={{ kind: actor_kind, id: actor_id }} />;
}

function What({ upload: { kind, file_name, file_size } }: { upload: ListedUpload }) {
  const parts = [kind && sayOf("report_kind", kind), file_name, file_size === null ? null : sizeOf(file_size)];
  return parts.filter(Boolean).join(" · ") || "—";
}
