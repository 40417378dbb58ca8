// Documents of one patient, newest first, with filters.
import { NativeSelect } from "@mantine/core";
import { useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { type Column, DataTable } from "../platform/design/data-table.tsx";
import { formatDate } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { formatFileSize } from "../reports/file-size.ts";
import { DOCUMENT_TYPE_CODES, type DocumentListItem, isDocumentType, useDocuments } from "./api.ts";
import { DocumentFileButton, documentName, formatName } from "./document-file.tsx";
import { DocumentLink, type Place } from "./document-links.tsx";
import classes from "./documents.module.css";

export type DocumentSearch = { type?: string; status?: string };
type DocumentListProps = { place: Place; search: DocumentSearch; onSearch: (search: DocumentSearch) => void };

const IN_ERROR = "entered-in-error";

/** Unknown filters are ignored; what was entered in error is a choice of the hospital's staff alone. */
export function DocumentList({ place, search, onSearch }: DocumentListProps) {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const type = isDocumentType(search.type) ? search.type : undefined;
  const choosesStatus = !place.isOwn && !place.shared;
  const status = choosesStatus && search.status === IN_ERROR ? IN_ERROR : undefined;
  const query = useDocuments({ patient_id: place.patientId, type, status });
  const columns: Column<DocumentListItem>[] = [
    { label: t("documents.name"), cell: (document) => <TitleCell document={document} place={place} /> },
    { label: t("documents.type"), cell: (document) => translateCode("document_type", document.type.code) },
    { label: t("documents.date"), cell: ({ date }) => <time dateTime={date}>{formatDate(date, zone)}</time> },
    { label: t("documents.author"), cell: ({ author }) => author ?? t("documents.no_author") },
    { label: t("documents.version"), cell: ({ version_number }) => version_number, align: "end" },
    {
      label: t("documents.size"),
      cell: ({ content_type, size }) => `${formatName(content_type)} · ${formatFileSize(size)}`,
    },
    { label: t("documents.file"), cell: (document) => <FileCell document={document} zone={zone} /> },
  ];
  return (
    <>
      <search className={`${layout.filters} ${classes.filters}`} aria-label={t("common.filters")}>
        <NativeSelect
          label={t("documents.type")}
          value={type ?? ""}
          onChange={({ currentTarget: { value } }) => onSearch({ ...search, type: value })}
          data={[{ value: "", label: t("common.all") }, ...listTypeChoices()]}
        />
        {choosesStatus && (
          <NativeSelect
            label={t("documents.status")}
            value={status ?? "current"}
            onChange={({ currentTarget: { value } }) => onSearch({ ...search, status: value === IN_ERROR ? value : "" })}
            data={["current", IN_ERROR].map((value) => ({ value, label: translateCode("documents.status", value) }))}
          />
        )}
      </search>
      <DataTable
        label={t("documents.title")}
        query={query}
        columns={columns}
        rowKey={({ document_id }) => document_id}
        isFiltered={type !== undefined || status !== undefined}
        empty={t("documents.none_yet")}
      />
    </>
  );
}

/** In the order of the API's table, which is that of use. */
export const listTypeChoices = () =>
  DOCUMENT_TYPE_CODES.map((code) => ({ value: code, label: translateCode("document_type", code) }));

function TitleCell({ document, place }: { document: DocumentListItem; place: Place }) {
  const t = useTranslation();
  return (
    <div className={classes.title}>
      <DocumentLink place={place} documentId={document.document_id}>
        {documentName(document)}
      </DocumentLink>
      {document.status === IN_ERROR && <span className={classes.badge}>✕ {t("documents.status.entered-in-error")}</span>}
    </div>
  );
}

function FileCell({ document, zone }: { document: DocumentListItem; zone: string }) {
  const { document_id, content_type, file_name, date } = document;
  return (
    <DocumentFileButton
      isCompact
      documentId={document_id}
      contentType={content_type}
      fileName={file_name}
      name={`${documentName(document)}, ${formatDate(date, zone)}`}
    />
  );
}
