// Files that wait for a person to say whose they are, or that they are nobody's.
import { Button, type ButtonProps, Modal, NativeSelect } from "@mantine/core";
import { createLink, Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type ComponentProps, useState } from "react";
import { type Column, DataTable } from "../design/data-table.tsx";
import { useFocusBack } from "../design/focus-back.ts";
import layout from "../design/layout.module.css";
import { Page } from "../design/page.tsx";
import { age } from "../design/time.ts";
import { useServerNow } from "../live/use-live.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { SenderName } from "../reports/sender.tsx";
import { type KeptUpload, useQuarantine } from "./api.ts";
import { reasonText } from "./outcome.tsx";
import { Reject } from "./reject.tsx";
import { UploadPreview } from "./upload-preview.tsx";
import classes from "./uploads.module.css";

const LinkButton = createLink((props: ButtonProps & ComponentProps<"a">) => <Button component="a" {...props} />);
const REASONS = ["not_found", "not_pdf"] as const;
type Opened = { what: "preview" | "reject"; upload: KeptUpload } | null;

export function QuarantinePage() {
  const say = useSay();
  const { reason } = useSearch({ from: "/house/uploads/quarantine" });
  const navigate = useNavigate({ from: "/uploads/quarantine" });
  const [opened, setOpened] = useState<Opened>(null);
  const query = useQuarantine(reason);
  const close = () => setOpened(null);
  const columns: Column<KeptUpload>[] = [
    {
      label: say("uploads.reason"),
      cell: (upload) => (
        <Link to="/uploads/$uploadId" params={{ uploadId: upload.upload_id }}>
          {reasonText(upload.reason)}
        </Link>
      ),
    },
    { label: say("uploads.sent_by"), cell: (upload) => <UploadSender upload={upload} /> },
    { label: say("uploads.waiting_for"), cell: ({ created_at }) => <Waiting since={created_at} /> },
    { label: say("uploads.claimed"), cell: claimOf },
    {
      label: say("uploads.what"),
      cell: ({ kind, file_name }) => [kind && sayOf("report_kind", kind), file_name].filter(Boolean).join(" · ") || "—",
    },
    { label: say("uploads.acts"), cell: (upload) => <Acts upload={upload} onOpen={setOpened} /> },
  ];
  return (
    <Page title={say("uploads.quarantine")}>
      <search className={`${layout.filters} ${classes.filters}`} aria-label={say("common.filters")}>
        <NativeSelect
          label={say("uploads.reason")}
          value={reason ?? ""}
          onChange={({ currentTarget: { value } }) => void navigate({ search: value ? { reason: value } : {}, replace: true })}
          data={[{ value: "", label: say("common.all") }, ...REASONS.map((value) => ({ value, label: reasonText(value) }))]}
        />
      </search>
      <DataTable
        label={say("uploads.quarantine")}
        query={query}
        columns={columns}
        keyOf={({ upload_id }) => upload_id}
        filtered={reason !== undefined}
        empty={say("uploads.quarantine_empty")}
      />
      {opened?.what === "preview" && <Preview upload={opened.upload} onClose={close} />}
      {opened?.what === "reject" && <Reject uploadId={opened.upload.upload_id} onClose={close} />}
    </Page>
  );
}

function Preview({ upload, onClose }: { upload: KeptUpload; onClose: () => void }) {
  const say = useSay();
  useFocusBack();
  return (
    <Modal
      opened
      size="xl"
      onClose={onClose}
      title={upload.file_name ?? say("uploads.preview")}
      closeButtonProps={{ "aria-label": say("common.close") }}
    >
      <UploadPreview upload={upload} />
    </Modal>
  );
}

function Acts({ upload, onOpen }: { upload: KeptUpload; onOpen: (opened: Opened) => void }) {
  const say = useSay();
  const name = upload.file_name ?? upload.upload_id;
  const label = (act: string) => `${act}: ${name}`;
  return (
    <div className={layout.acts}>
      <Button
        variant="default"
        size="compact-sm"
        onClick={() => onOpen({ what: "preview", upload })}
        aria-label={label(say("uploads.preview"))}
      >
        {say("uploads.preview")}
      </Button>
      {upload.reason !== "not_pdf" && (
        <LinkButton
          to="/uploads/$uploadId"
          params={{ uploadId: upload.upload_id }}
          size="compact-sm"
          aria-label={label(say("uploads.assign_act"))}
        >
          {say("uploads.assign_act")}
        </LinkButton>
      )}
      <Button
        variant="default"
        size="compact-sm"
        onClick={() => onOpen({ what: "reject", upload })}
        aria-label={label(say("uploads.reject_act"))}
      >
        {say("uploads.reject_act")}
      </Button>
    </div>
  );
}

export function UploadSender({ upload: { actor_kind, actor_id, device_id } }: { upload: KeptUpload }) {
  const say = useSay();
  if (actor_kind !== "device") return <SenderName sender={{ kind: actor_kind, id: actor_id }} />;
  return device_id ? <SenderName sender={{ kind: "device", id: device_id }} /> : say("reports.a_device");
}

function Waiting({ since }: { since: string }) {
  const now = useServerNow();
  return <time dateTime={since}>{age((now - Date.parse(since)) / 1000)}</time>;
}

/** The patient that the machine named, as it named them. */
export function claimOf({ fields }: Pick<KeptUpload, "fields">): string {
  const claimed = fields["patient_id"];
  return typeof claimed === "string" || typeof claimed === "number" ? String(claimed) : "—";
}
