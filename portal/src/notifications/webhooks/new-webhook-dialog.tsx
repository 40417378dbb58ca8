// Dialog for a new webhook: address, events, and whether clinical values are sent.
import { Checkbox, TextInput } from "@mantine/core";
import { useState } from "react";
import { useMe } from "../../accounts/session/use-session.ts";
import { HospitalSelect } from "../../organization/hospitals/hospital-select.tsx";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { Dialog } from "../../platform/design/dialog.tsx";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { createWebhook, EVENTS, type WebhookEvent } from "./api.ts";
import { WebhookSecretDialog } from "./webhook-secret-dialog.tsx";
import classes from "./webhooks.module.css";

type NewWebhookDialogProps = { onChanged: () => Promise<unknown>; onClose: () => void };

export function NewWebhookDialog({ onChanged, onClose }: NewWebhookDialogProps) {
  const t = useTranslation();
  const isAdmin = useMe().role === "admin";
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [url, setUrl] = useState("");
  const [description, setDescription] = useState("");
  const [events, setEvents] = useState<WebhookEvent[]>([]);
  const [includesData, setIncludesData] = useState(false);
  const [hospitalId, setHospitalId] = useState("");
  const [created, setCreated] = useState<{ secret: string | null } | null>(null);
  if (created) return <WebhookSecretDialog secret={created.secret} onClose={onClose} />;

  function validate(): FieldErrors {
    return {
      ...(!URL.canParse(url.trim()) && { url: t("webhooks.url_wrong") }),
      ...(events.length === 0 && { events: t("webhooks.choose_events") }),
      ...(isAdmin && hospitalId === "" && { hospital_id: t("common.required_choice") }),
    };
  }
  const addressMessages = {
    ...Object.fromEntries(["invalid", "scheme"].map((code) => [code, t("webhooks.url_wrong")])),
    ...Object.fromEntries(["port", "name", "address", "credentials"].map((code) => [code, t("webhooks.url_not_public")])),
    unresolved: t("webhooks.url_unresolved"),
  };
  async function submit() {
    const about = { url: url.trim(), description: description.trim() || null, events, include_data: includesData };
    const request = createWebhook({ ...about, ...(isAdmin && { hospital_id: hospitalId }) }, idempotencyKey);
    setCreated(await withErrorMessages(request, addressMessages));
    void onChanged();
  }
  const labels = {
    url: t("webhooks.url"),
    description: t("webhooks.description"),
    events: t("webhooks.events"),
    include_data: t("webhooks.include_data"),
    hospital_id: t("hospitals.hospital"),
  };
  return (
    <Dialog title={t("webhooks.new")} onClose={onClose}>
      <Form submitLabel={t("webhooks.new")} validate={validate} onSubmit={submit} onCancel={onClose} labels={labels}>
        {(field) => (
          <>
            <TextInput
              {...field("url")}
              type="url"
              label={labels.url}
              description={t("webhooks.url_hint")}
              value={url}
              onChange={(event) => setUrl(event.target.value)}
              autoComplete="off"
              data-autofocus
            />
            <TextInput
              {...field("description")}
              label={labels.description}
              description={t("webhooks.description_hint")}
              value={description}
              onChange={(event) => setDescription(event.target.value)}
              autoComplete="off"
            />
            <HospitalSelect
              {...field("hospital_id")}
              value={hospitalId}
              onChange={setHospitalId}
              emptyLabel={t("webhooks.choose_hospital")}
            />
            <Checkbox.Group
              error={field("events").error}
              label={labels.events}
              value={events}
              onChange={(values) => setEvents(EVENTS.filter((event) => values.includes(event)))}
            >
              <div className={classes.events}>
                {EVENTS.map((event, i) => (
                  // The error summary links to the first checkbox.
                  <Checkbox
                    key={event}
                    {...(i === 0 && { id: field("events").id })}
                    value={event}
                    label={translateCode("webhooks.event", event)}
                  />
                ))}
              </div>
            </Checkbox.Group>
            <Checkbox
              {...field("include_data")}
              label={labels.include_data}
              description={t("webhooks.include_data_hint")}
              checked={includesData}
              onChange={(event) => setIncludesData(event.target.checked)}
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}
