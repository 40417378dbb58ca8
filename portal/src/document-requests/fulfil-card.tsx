// The asked hospital picks the documents that answer an approved request, of the records that the person shares.
import { Button, Checkbox } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { type DocumentListItem, useDocuments } from "../documents/api.ts";
import { documentName, formatName } from "../documents/document-file.tsx";
import { Problem, toProblem } from "../platform/api/problem.ts";
import { type FieldErrors, Form } from "../platform/design/form.tsx";
import { formatDate, formatDateTime } from "../platform/design/format.ts";
import { Card } from "../platform/design/page.tsx";
import { QueryBoundary, RefetchError } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import type { TakeStep } from "./answer-card.tsx";
import type { DocumentRequest } from "./api.ts";
import { PatientName } from "./request-facts.tsx";
import classes from "./requests.module.css";

/** As many as the API shares with one request. */
const MAX_DOCUMENTS = 20;

type FulfilProps = { request: DocumentRequest; zone: string | undefined; take: TakeStep };
/** Names by id of what is chosen. */
type Chosen = ReadonlyMap<string, string>;

export function FulfilCard({ request, zone, take }: FulfilProps) {
  const t = useTranslation();
  const [chosen, setChosen] = useState<Chosen>(new Map());
  const labels = { document_ids: t("requests.pick") };
  function validate(): FieldErrors {
    if (chosen.size === 0) return { document_ids: t("requests.pick_none") };
    return chosen.size > MAX_DOCUMENTS ? { document_ids: t("requests.pick_many") } : {};
  }
  /** The API names the documents by their place in the list. @throws Problem */
  async function submit(): Promise<void> {
    const ids = [...chosen.keys()];
    await take({ name: "fulfil", documentIds: ids }).catch((error: unknown) => {
      const { errors, errorId } = toProblem(error);
      if (errors.length === 0) throw error;
      const places = errors.map(({ path }) => Number(path.split(".")[1]));
      const names = places.map((at) => chosen.get(ids[at] ?? "")).filter((name) => name !== undefined);
      throw new Problem(0, "documents_not_shareable", t("requests.not_shareable", { names: names.join(", ") }), errorId);
    });
  }
  return (
    <Card title={t("requests.pick")}>
      <p>{t("requests.pick_text", { until: formatDateTime(request.access_until, zone) })}</p>
      <Form submitLabel={t("requests.fulfil")} validate={validate} onSubmit={submit} labels={labels}>
        {(field) =>
          request.shared_patient_ids.map((patientId, i) => (
            <DocumentChoices
              key={patientId}
              patientId={patientId}
              zone={zone}
              chosen={chosen}
              onChange={setChosen}
              {...field("document_ids")}
              isFirst={i === 0}
            />
          ))
        }
      </Form>
    </Card>
  );
}

type ChoicesProps = {
  /** Of the first checkbox, to which the error summary links. */
  id: string;
  error: string | undefined;
  isFirst: boolean;
  patientId: string;
  zone: string | undefined;
  chosen: Chosen;
  onChange: (chosen: Chosen) => void;
};

function DocumentChoices({ id, error, isFirst, patientId, zone, chosen, onChange }: ChoicesProps) {
  const t = useTranslation();
  const query = useDocuments({ patient_id: patientId });
  /** What is chosen of other records stays. */
  const choose = (items: readonly DocumentListItem[], ids: readonly string[]): void => {
    const next = new Map(chosen);
    for (const document of items) {
      if (ids.includes(document.document_id)) next.set(document.document_id, documentName(document));
      else next.delete(document.document_id);
    }
    onChange(next);
  };
  return (
    <QueryBoundary query={query}>
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items);
        return (
          <>
            {items.length === 0 && <NoDocuments patientId={patientId} />}
            <Checkbox.Group
              label={<PatientName patientId={patientId} />}
              description={t("requests.pick_hint")}
              error={error}
              value={[...chosen.keys()]}
              onChange={(ids) => choose(items, ids)}
            >
              <div className={classes.choices}>
                {items.map((document, at) => (
                  <Checkbox
                    key={document.document_id}
                    {...(isFirst && at === 0 && { id })}
                    value={document.document_id}
                    label={`${documentName(document)} · ${formatDate(document.date, zone)} · ${formatName(document.content_type)}`}
                  />
                ))}
              </div>
            </Checkbox.Group>
            <RefetchError error={query.error} />
            {query.hasNextPage && (
              <div>
                <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  {t("common.show_more")}
                </Button>
              </div>
            )}
          </>
        );
      }}
    </QueryBoundary>
  );
}

function NoDocuments({ patientId }: { patientId: string }) {
  const t = useTranslation();
  return (
    <p>
      {t("requests.no_documents")}{" "}
      <Link to="/patients/$patientId/documents" params={{ patientId }}>
        {t("requests.to_documents")}
      </Link>
    </p>
  );
}
