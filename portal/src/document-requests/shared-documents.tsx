// The documents that fulfil a request, for the hospital that reads them, the one that holds them, and the person.
import { useDocument } from "../documents/api.ts";
import { documentName } from "../documents/document-file.tsx";
import { DocumentLink, type Place } from "../documents/document-links.tsx";
import { toProblem } from "../platform/api/problem.ts";
import { formatDate, formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card } from "../platform/design/page.tsx";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import type { DocumentRequest } from "./api.ts";
import classes from "./requests.module.css";

type SharedProps = { request: DocumentRequest; zone: string | undefined };

/** Shown once a request is fulfilled. */
export function SharedDocuments({ request, zone }: SharedProps) {
  const t = useTranslation();
  if (request.status !== "fulfilled") return null;
  return (
    <Card title={t("requests.shared")}>
      <p>{request.is_readable ? <Terms request={request} zone={zone} /> : t("requests.shared_over")}</p>
      <ul className={layout.bare}>
        {request.document_ids.map((id) => (
          <li key={id} className={classes.words}>
            <SharedDocument request={request} documentId={id} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Terms({ request, zone }: SharedProps) {
  const t = useTranslation();
  const until = formatDateTime(request.access_until, zone);
  const reader = request.requesting_hospital.name;
  if (request.direction === "out")
    return t("requests.shared_out", { hospital: request.hospital?.name ?? t("common.unknown"), until });
  return t(request.direction === "in" ? "requests.shared_in" : "requests.shared_mine", { hospital: reader, until });
}

/** Whose documents they are to the caller. */
function placeOf({ direction, patient_id, consent_id }: DocumentRequest, recordId: string): Place {
  if (direction === "out" && patient_id !== null)
    return { patientId: recordId, isOwn: false, shared: { patientId: patient_id, consentId: consent_id, recordId } };
  return { patientId: recordId, isOwn: direction === null };
}

function SharedDocument({ request, documentId }: { request: DocumentRequest; documentId: string }) {
  const t = useTranslation();
  const query = useDocument(documentId);
  const { status } = toProblem(query.error);
  if (status === 403 || status === 404) return t("requests.document_gone");
  return (
    <QueryBoundary query={query}>
      {(document) => (
        <>
          <DocumentLink place={placeOf(request, document.patient_id)} documentId={documentId}>
            {documentName(document)}
          </DocumentLink>{" "}
          · {formatDate(document.date)}
        </>
      )}
    </QueryBoundary>
  );
}
