// The forms of a new document and of a new version, with what they need to know first.
import { useState } from "react";
import { useHospitalTimeZone } from "../organization/hospitals/use-hospitals.ts";
import layout from "../platform/design/layout.module.css";
import { Card } from "../platform/design/page.tsx";
import { LoadError, Loading } from "../platform/design/query-states.tsx";
import { usePageZone } from "../platform/design/screen-zone.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import { type DocumentDetail, isDocumentType, useCurrentDocument } from "./api.ts";
import { DocumentFileButton, documentName } from "./document-file.tsx";
import { DocumentForm } from "./document-form.tsx";
import { DocumentLink, DocumentsLink, type Place } from "./document-links.tsx";
import classes from "./documents.module.css";

const EMPTY = { type: "", title: "", author: "", day: null } as const;

export function NewDocument({ place, zone }: { place: Place; zone: string | undefined }) {
  const t = useTranslation();
  const [formKey, setFormKey] = useState(0);
  return (
    <>
      <p>
        <DocumentsLink place={place}>{t("documents.back")}</DocumentsLink>
      </p>
      <Card>
        <DocumentForm
          key={formKey}
          place={place}
          destination={{ patientId: place.patientId }}
          initial={EMPTY}
          zone={zone}
          onAnother={() => setFormKey(formKey + 1)}
        />
      </Card>
    </>
  );
}

/** Replaces whichever version is current when it is sent; a version that came meanwhile is shown first. */
export function NewVersion({ documentId, isOwn }: { documentId: string; isOwn: boolean }) {
  const query = useCurrentDocument(documentId);
  // The form stays while a version that came meanwhile is read.
  const [shown, setShown] = useState(query.data);
  if (query.data && query.data !== shown) setShown(query.data);
  if (shown) return <LoadedNewVersion document={shown} isOwn={isOwn} />;
  return query.error ? <LoadError error={query.error} retry={() => void query.refetch()} /> : <Loading />;
}

function LoadedNewVersion({ document, isOwn }: { document: DocumentDetail; isOwn: boolean }) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(document.hospital_id);
  usePageZone(zone);
  const { type, title, author, document_id, version_number, content_type, file_name } = document;
  const place = { patientId: document.patient_id, isOwn };
  const name = documentName(document);
  const replaced = (
    <>
      <div className={layout.line}>
        <span className={classes.text}>
          {t("documents.replaces", { n: version_number })}:{" "}
          <DocumentLink place={place} documentId={document_id}>
            {name}
          </DocumentLink>
        </span>
        <DocumentFileButton documentId={document_id} contentType={content_type} fileName={file_name} name={name} />
      </div>
      {document.status === "entered-in-error" && (
        <p className={classes.mark} role="alert">
          {t("documents.is_error")}
        </p>
      )}
    </>
  );
  return (
    <Card>
      <DocumentForm
        place={place}
        destination={{ replaces: document }}
        initial={{ type: isDocumentType(type.code) ? type.code : "", title: title ?? "", author: author ?? "", day: null }}
        zone={zone}
        heading={replaced}
      />
    </Card>
  );
}
