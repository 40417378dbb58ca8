// One upload: what came, from whom, and what became of it; one in quarantine is filed or rejected here.
import { Button } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import layout from "../design/layout.module.css";
import { Card, Facts, Page } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { dateTime } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { useZone } from "../reports/api.ts";
import { Download } from "../reports/download.tsx";
import { sizeOf } from "../reports/file-size.ts";
import { isKind } from "../reports/kinds.ts";
import { MetricsTable } from "../reports/metrics-table.tsx";
import { type KeptUpload, readUploadFile, useUpload } from "./api.ts";
import { Assign } from "./assign.tsx";
import { OutcomeBadge, reasonText } from "./outcome.tsx";
import { claimOf, UploadSender } from "./quarantine-page.tsx";
import { Reject } from "./reject.tsx";
import { UploadPreview } from "./upload-preview.tsx";
import classes from "./uploads.module.css";

export function UploadPage() {
  const say = useSay();
  const { uploadId } = useParams({ from: "/house/uploads/$uploadId" });
  return (
    <Page key={uploadId} title={say("uploads.one")}>
      <Query query={useUpload(uploadId)}>
        {(upload) => (upload.outcome === "quarantined" ? <Quarantined upload={upload} /> : <Settled upload={upload} />)}
      </Query>
    </Page>
  );
}

function Settled({ upload }: { upload: KeptUpload }) {
  return (
    <>
      <Became upload={upload} />
      <About upload={upload} />
      <Sent upload={upload} />
    </>
  );
}

/** The file beside whoever it may belong to. */
function Quarantined({ upload }: { upload: KeptUpload }) {
  const say = useSay();
  const [rejecting, setRejecting] = useState(false);
  const load = () => readUploadFile(upload.upload_id);
  return (
    <>
      <div className={classes.beside}>
        <Card
          title={say("uploads.quarantined_file")}
          actions={<Download load={load} fileName={upload.file_name ?? "upload.bin"} />}
        >
          <UploadPreview upload={upload} />
        </Card>
        <div className={`${layout.stack} ${classes.stack}`}>
          <Card title={say("uploads.why_here")}>
            <p>
              <strong>{reasonText(upload.reason)}</strong>
            </p>
            <p>{say(upload.reason === "not_pdf" ? "uploads.why_not_pdf" : "uploads.why_not_found")}</p>
            <Button variant="default" onClick={() => setRejecting(true)}>
              {say("uploads.reject_act")}
            </Button>
          </Card>
          {upload.reason !== "not_pdf" && <Assign upload={upload} />}
          <About upload={upload} />
          <Sent upload={upload} />
        </div>
      </div>
      {rejecting && <Reject uploadId={upload.upload_id} onClose={() => setRejecting(false)} />}
    </>
  );
}

function Became({ upload }: { upload: KeptUpload }) {
  const say = useSay();
  return (
    <Card title={say("uploads.became")}>
      <p>
        <OutcomeBadge outcome={upload.outcome} /> {sayOf("upload_meaning", upload.outcome)}
      </p>
      {upload.reason && <p>{reasonText(upload.reason)}</p>}
      {upload.discard_reason && <p>{say("uploads.rejected_because", { reason: upload.discard_reason })}</p>}
      <div className={layout.acts}>
        {upload.report_id && (
          <Link to="/reports/$reportId" params={{ reportId: upload.report_id }}>
            {say("uploads.open_report")}
          </Link>
        )}
        {upload.patient_id && (
          <Link to="/patients/$patientId" params={{ patientId: upload.patient_id }}>
            {say("reports.to_patient")}
          </Link>
        )}
      </div>
    </Card>
  );
}

function About({ upload }: { upload: KeptUpload }) {
  const say = useSay();
  const zone = useZone(upload.hospital_id);
  const { kind, file_name, file_size, sha256 } = upload;
  const facts: (readonly [string, ReactNode])[] = [
    [say("reports.received"), dateTime(upload.created_at, zone)],
    [say("uploads.sent_by"), <UploadSender key="sender" upload={upload} />],
    [say("reports.kind"), kind ? sayOf("report_kind", kind) : "—"],
    [say("uploads.claimed"), claimOf(upload)],
    [say("reports.file"), file_name ?? "—"],
    [say("reports.size"), file_size === null ? "—" : sizeOf(file_size)],
    [say("reports.sha256"), <code key="sha256">{sha256 ?? "—"}</code>],
    [say("uploads.id"), <code key="id">{upload.upload_id}</code>],
  ];
  return (
    <Card title={say("uploads.facts")}>
      <Facts items={facts} />
    </Card>
  );
}

/** What came beside the file; nobody has checked it. */
function Sent({ upload: { kind, fields, metrics } }: { upload: KeptUpload }) {
  const say = useSay();
  const others = Object.entries(fields).filter(([name]) => !["patient_id", "kind"].includes(name));
  const measured = measuredIn(metrics);
  if (others.length === 0 && metrics === null) return null;
  return (
    <Card title={say("uploads.beside")}>
      <p className={classes.note}>{say("uploads.unchecked")}</p>
      {others.length > 0 && <Facts items={others.map(([name, value]) => [sayOf("upload_field", name), String(value)])} />}
      {measured ? (
        <MetricsTable kind={isKind(kind) ? kind : "other"} metrics={measured} />
      ) : (
        metrics !== null && <code>{metrics}</code>
      )}
    </Card>
  );
}

function measuredIn(metrics: string | null): Record<string, unknown> | null {
  try {
    const read: unknown = JSON.parse(metrics ?? "null");
    return typeof read === "object" && read !== null && !Array.isArray(read) ? { ...read } : null;
  } catch {
    return null;
  }
}
