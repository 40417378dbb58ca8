// One version of a document: what it is, its versions, and what may be done with it.
import { Button, Group } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import type { SharedPlace } from "../consents/shared-place.ts";
import { useHospitalTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { useIsReadOnly } from "../patients/record/use-patient-record.ts";
import { formatDate, formatDateTime, formatNumber } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card, DescriptionList } from "../platform/design/page.tsx";
import { usePageZone } from "../platform/design/screen-zone.ts";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { formatFileSize } from "../reports/file-size.ts";
import { SenderName } from "../reports/sender-name.tsx";
import type { DocumentDetail, DocumentVersion } from "./api.ts";
import { DocumentFileButton, documentName, formatName } from "./document-file.tsx";
import { DocumentLink, DocumentsLink, NewVersionButton, type Place } from "./document-links.tsx";
import classes from "./documents.module.css";
import { MarkInErrorDialog } from "./mark-in-error-dialog.tsx";

type DocumentViewProps = { document: DocumentDetail; isOwn: boolean; shared?: SharedPlace };

export function DocumentView({ document, isOwn, shared }: DocumentViewProps) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(shared ? null : document.hospital_id);
  usePageZone(zone);
  const place = { patientId: document.patient_id, isOwn, ...(shared && { shared }) };
  return (
    <>
      <div className={layout.line}>
        <DocumentsLink place={place}>{t("documents.back")}</DocumentsLink>
        <DocumentActions document={document} place={place} />
      </div>
      <StatusNotice document={document} place={place} zone={zone} />
      <Card title={t("documents.about")}>
        <div className={classes.text}>
          <DescriptionList items={listFacts(document, zone, t)} />
        </div>
      </Card>
      <Card title={t("documents.versions")}>
        <ul className={`${layout.bare} ${classes.versions}`}>
          {document.versions.toReversed().map((version) => (
            <VersionRow key={version.document_id} version={version} document={document} place={place} zone={zone} />
          ))}
        </ul>
      </Card>
      {isOwn && <p className={layout.muted}>{t("documents.ask")}</p>}
    </>
  );
}

/** A patient replaces only what they have uploaded; staff mark documents as entered in error. What is shared is read only. */
function DocumentActions({ document, place }: { document: DocumentDetail; place: Place }) {
  const t = useTranslation();
  const { user_id } = useMe();
  const [isMarking, setIsMarking] = useState(false);
  const { document_id, status, uploaded_by, content_type, file_name } = document;
  const isReadOnly = useIsReadOnly(place.patientId);
  const mayChange = status === "current" && !place.shared && !isReadOnly;
  const mayReplace = !place.isOwn || (uploaded_by.kind === "user" && uploaded_by.id === user_id);
  return (
    <Group>
      <DocumentFileButton
        documentId={document_id}
        contentType={content_type}
        fileName={file_name}
        name={documentName(document)}
      />
      {mayChange && mayReplace && (
        <NewVersionButton place={place} documentId={document_id}>
          {t("documents.upload_version")}
        </NewVersionButton>
      )}
      {mayChange && !place.isOwn && (
        <Button variant="default" onClick={() => setIsMarking(true)}>
          {t("documents.mark_error")}…
        </Button>
      )}
      {isMarking && <MarkInErrorDialog document={document} onClose={() => setIsMarking(false)} />}
    </Group>
  );
}

type NoticeProps = { document: DocumentDetail; place: Place; zone: string | undefined };

function StatusNotice({ document: { status, entered_in_error: mark, versions }, place, zone }: NoticeProps) {
  const t = useTranslation();
  const newest = versions.at(-1);
  if (status === "entered-in-error") {
    return (
      <div className={classes.mark} role="alert">
        <p>
          <strong>{t("documents.is_error")}</strong>
        </p>
        {mark && <p>{t("documents.error_reason", { reason: mark.reason ?? t("documents.unreadable") })}</p>}
        {mark && (
          <p>
            {t("documents.error_when", { at: formatDateTime(mark.at, zone) })} · {t("documents.error_by")}{" "}
            <SenderName sender={{ kind: "user", id: mark.by }} />
          </p>
        )}
      </div>
    );
  }
  if (status === "current" || !newest) return null;
  return (
    <div className={classes.replaced} role="alert">
      <p>{t("documents.is_replaced")}</p>
      <DocumentLink place={place} documentId={newest.document_id}>
        {t("documents.open_current")}
      </DocumentLink>
    </div>
  );
}

function listFacts(
  document: DocumentDetail,
  zone: string | undefined,
  t: ReturnType<typeof useTranslation>,
): (readonly [string, ReactNode])[] {
  return [
    [t("documents.type"), translateCode("document_type", document.type.code)],
    [t("documents.status"), translateCode("documents.status", document.status)],
    [t("documents.date"), formatDate(document.date, zone)],
    [t("documents.author"), document.author ?? t("documents.no_author")],
    [t("documents.version"), formatNumber(document.version_number)],
    [t("documents.file"), document.file_name ?? t("documents.unreadable")],
    [t("documents.format"), formatName(document.content_type)],
    [t("documents.size"), formatFileSize(document.size)],
    [t("documents.uploaded"), formatDateTime(document.created_at, zone)],
    [t("documents.uploaded_by"), <SenderName key="sender" sender={document.uploaded_by} />],
  ];
}

type VersionRowProps = NoticeProps & { version: DocumentVersion };

function VersionRow({ version, document, place, zone }: VersionRowProps) {
  const t = useTranslation();
  const { document_id, version_number: n, content_type, size, created_at, uploaded_by } = version;
  const isShown = document_id === document.document_id;
  return (
    <li aria-current={isShown ? "true" : undefined}>
      <span>
        {isShown ? (
          <strong>{t("documents.this_version", { n })}</strong>
        ) : (
          <DocumentLink place={place} documentId={document_id}>
            {t("documents.version_n", { n })}
          </DocumentLink>
        )}{" "}
        · {translateCode("documents.status", version.status)} · {formatDateTime(created_at, zone)} ·{" "}
        <SenderName sender={uploaded_by} /> · {formatName(content_type)} · {formatFileSize(size)}
      </span>
      <DocumentFileButton
        isCompact
        documentId={document_id}
        contentType={content_type}
        fileName={isShown ? document.file_name : null}
        name={t("documents.version_n", { n })}
      />
    </li>
  );
}
