// Form of a new document or a new version. What is entered stays until it is stored.
import { Button, FileInput, Group, NativeSelect, TextInput } from "@mantine/core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { toProblem } from "../platform/api/problem.ts";
import { dayInZone } from "../platform/design/calendar-days.ts";
import { type FieldErrors, Form } from "../platform/design/form.tsx";
import layout from "../platform/design/layout.module.css";
import { getScreenZone } from "../platform/design/screen-zone.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import { formatFileSize } from "../reports/file-size.ts";
import { LeaveGuard } from "../reports/upload/leave-guard.tsx";
import { getUploadKey } from "../reports/upload/upload-state.ts";
import { UploadProgress } from "../reports/upload/upload-status.tsx";
import { invalidateDocuments, isDocumentType } from "./api.ts";
import {
  type Destination,
  type DocumentInput,
  findDayFault,
  findFileFault,
  MAX_FILE_BYTES,
  MAX_TEXT_LENGTH,
  previousDate,
  toFormFields,
} from "./document-draft.ts";
import { DocumentLink, DocumentsLink, type Place } from "./document-links.tsx";
import { listTypeChoices } from "./document-list.tsx";
import classes from "./documents.module.css";
import { type StoredDocument, sendDocument } from "./send-document.ts";
import { useDocumentDraft } from "./use-document-draft.ts";

/** Chosen by the API from the bytes; this only helps to find files. */
const ACCEPTED = ".pdf,.jpg,.jpeg,.png,.docx,.txt,application/pdf,image/jpeg,image/png,text/plain";

type DocumentFormProps = {
  place: Place;
  destination: Destination;
  initial: DocumentInput;
  zone: string | undefined;
  /** Above the form, until the document is stored. */
  heading?: ReactNode;
  /** Starts an empty form; absent for a new version. */
  onAnother?: () => void;
};

export function DocumentForm({ place, destination, initial, zone, heading, onAnother }: DocumentFormProps) {
  const t = useTranslation();
  const { draft, updateDraft } = useDocumentDraft(initial);
  const { percent, stored, send, cancel } = useSendDocument();
  const { input, file } = draft;
  const isVersion = "replaces" in destination;
  const day = input.day ?? dayInZone(Date.parse(previousDate(destination) ?? new Date().toISOString()), zone);
  const change = (part: Partial<DocumentInput>) => updateDraft({ input: { ...input, ...part } });
  const labels = { file: t("documents.file"), type: t("documents.type"), date: t("documents.date") };

  function validate(): FieldErrors {
    const fileFault = findFileFault(file);
    return {
      ...(fileFault && { file: t(`documents.fault.${fileFault}`, { size: formatFileSize(MAX_FILE_BYTES) }) }),
      ...(input.type === "" && { type: t("common.required_choice") }),
      ...(findDayFault(day, Date.now(), zone) && { date: t("documents.date_wrong") }),
    };
  }
  async function submit(): Promise<void> {
    if (!file) return;
    const fields = toFormFields(input, destination, Date.now(), zone);
    const target = isVersion ? destination.replaces.document_id : destination.patientId;
    const identity = [target, fields, file.name, file.size, file.lastModified];
    const uploadKey = getUploadKey(identity, draft.uploadKey, () => crypto.randomUUID());
    updateDraft({ uploadKey });
    try {
      await send({ file, fields, destination }, uploadKey.key);
    } catch (error) {
      const { code } = toProblem(error);
      if (code === "idempotency_key_reused") updateDraft({ uploadKey: null });
      // The page shows the version that came meanwhile, and the form stays.
      if (code === "document_outdated") await invalidateDocuments();
      throw error;
    }
  }

  if (stored) return <StoredNotice stored={stored} isVersion={isVersion} place={place} onAnother={onAnother} />;
  return (
    <div className={`${layout.stack} ${classes.form}`}>
      {heading}
      <Form
        submitLabel={t(isVersion ? "documents.send_version" : "documents.send")}
        validate={validate}
        onSubmit={submit}
        labels={labels}
      >
        {(field) => (
          <>
            <fieldset className={`${layout.stack} ${classes.fields}`} disabled={percent !== null}>
              <FileInput
                label={labels.file}
                description={t("documents.file_hint", { size: formatFileSize(MAX_FILE_BYTES) })}
                placeholder={t("documents.choose_file")}
                accept={ACCEPTED}
                value={file}
                onChange={(chosen) => updateDraft({ file: chosen })}
                {...field("file")}
              />
              {file && (
                <p className={`${layout.note} ${classes.text}`}>
                  {file.name} · {formatFileSize(file.size)}
                </p>
              )}
              <NativeSelect
                label={labels.type}
                value={input.type}
                onChange={({ currentTarget: { value } }) => change({ type: isDocumentType(value) ? value : "" })}
                data={[{ value: "", label: t("documents.choose_type") }, ...listTypeChoices()]}
                {...field("type")}
              />
              <TextInput
                type="date"
                label={labels.date}
                description={t("documents.date_hint", { zone: zone ?? getScreenZone() })}
                value={day}
                max={dayInZone(Date.now(), zone)}
                onChange={({ currentTarget: { value } }) => change({ day: value })}
                {...field("date")}
              />
              <TextInput
                label={t("documents.name")}
                description={t("documents.name_hint")}
                maxLength={MAX_TEXT_LENGTH}
                value={input.title}
                onChange={({ currentTarget: { value } }) => change({ title: value })}
                {...field("title")}
              />
              <TextInput
                label={t("documents.author")}
                description={t("documents.author_hint")}
                maxLength={MAX_TEXT_LENGTH}
                value={input.author}
                onChange={({ currentTarget: { value } }) => change({ author: value })}
                {...field("author")}
              />
            </fieldset>
            {percent !== null && <UploadProgress percent={percent} onCancel={cancel} />}
          </>
        )}
      </Form>
      <LeaveGuard isInProgress={percent !== null} />
    </div>
  );
}

/** `percent` is null while nothing is sent. An unmount cancels. */
function useSendDocument() {
  const [percent, setPercent] = useState<number | null>(null);
  const [stored, setStored] = useState<StoredDocument | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  async function send(upload: Parameters<typeof sendDocument>[0], key: string): Promise<void> {
    const controller = new AbortController();
    running.current = controller;
    try {
      setStored(await sendDocument(upload, key, setPercent, controller.signal));
      void invalidateDocuments();
    } finally {
      setPercent(null);
    }
  }
  return { percent, stored, send, cancel: () => running.current?.abort() };
}

type StoredNoticeProps = { stored: StoredDocument; isVersion: boolean; place: Place; onAnother: (() => void) | undefined };

/** Takes the focus, which was on a button of the form. */
function StoredNotice({ stored: { documentId, isDuplicate }, isVersion, place, onAnother }: StoredNoticeProps) {
  const t = useTranslation();
  const notice = useRef<HTMLDivElement>(null);
  useEffect(() => notice.current?.focus(), []);
  const text = isVersion ? "documents.version_stored" : "documents.stored";
  return (
    <div className={layout.stack}>
      <div ref={notice} tabIndex={-1} className={classes.done} role="status">
        <p>
          <strong>{t(isDuplicate ? "documents.is_duplicate" : text)}</strong>
        </p>
        <DocumentLink place={place} documentId={documentId}>
          {t("documents.open")}
        </DocumentLink>
      </div>
      <Group>
        <DocumentsLink place={place}>{t("documents.back")}</DocumentsLink>
        {onAnother && (
          <Button variant="default" onClick={onAnother}>
            {t("documents.another")}
          </Button>
        )}
      </Group>
    </div>
  );
}
