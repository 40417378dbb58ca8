// Credentials of a device: issued, shown once and revoked.
import { Button, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { serverNow } from "../monitoring/live/server-clock.ts";
import { addDays, startOfDay } from "../platform/design/calendar-days.ts";
import { ConfirmDialog } from "../platform/design/confirm-dialog.tsx";
import { type Column, Table } from "../platform/design/data-table.tsx";
import { Dialog } from "../platform/design/dialog.tsx";
import { Form } from "../platform/design/form.tsx";
import { formatDateTime } from "../platform/design/format.ts";
import { OneTimeSecretDialog } from "../platform/design/one-time-secret-dialog.tsx";
import { Card } from "../platform/design/page.tsx";
import { EmptyState, QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { announce } from "../shell/announcer.tsx";
import { type Credential, type Device, issueCredential, listCredentials, revokeCredential } from "./api.ts";
import classes from "./devices.module.css";
import { useIdempotencyKey } from "./use-idempotency-key.ts";

type CredentialsProps = { device: Device; zone: string | undefined };
type DeviceCredentialsProps = CredentialsProps & { canIssue: boolean };

export function DeviceCredentials({ device, canIssue, zone }: DeviceCredentialsProps) {
  const t = useTranslation();
  const client = useQueryClient();
  const [isIssuing, setIsIssuing] = useState(false);
  const [credentialToRevoke, setCredentialToRevoke] = useState<Credential | null>(null);
  const queryKey = ["devices", "credentials", device.device_id];
  const query = useQuery({ queryKey, queryFn: () => listCredentials(device.device_id) });
  const revoke = async ({ credential_id }: Credential) => {
    await revokeCredential(device.device_id, credential_id);
    await client.invalidateQueries({ queryKey });
    announce(t("devices.revoke_done"));
  };
  const columns: Column<Credential>[] = [
    { label: t("devices.credential_name"), cell: ({ name }) => name },
    { label: t("devices.created"), cell: ({ created_at }) => formatDateTime(created_at, zone) },
    {
      label: t("devices.last_used"),
      cell: ({ last_used_at }) => (last_used_at ? formatDateTime(last_used_at, zone) : t("common.never")),
    },
    { label: t("devices.state"), cell: (credential) => <CredentialState credential={credential} zone={zone} /> },
    {
      label: t("devices.revoke"),
      cell: (credential) =>
        isValid(credential) && (
          <Button
            variant="default"
            size="compact-sm"
            className={classes.act}
            onClick={() => setCredentialToRevoke(credential)}
            aria-label={t("devices.revoke_of", { name: credential.name })}
          >
            {t("devices.revoke")}
          </Button>
        ),
    },
  ];
  return (
    <Card
      title={t("devices.credentials")}
      actions={canIssue && <Button onClick={() => setIsIssuing(true)}>{t("devices.issue")}</Button>}
    >
      <QueryBoundary query={query}>
        {(credentials) =>
          credentials.length === 0 ? (
            <EmptyState>{t("devices.no_credentials")}</EmptyState>
          ) : (
            <Table
              label={t("devices.credentials")}
              columns={columns}
              items={credentials}
              rowKey={({ credential_id }) => credential_id}
            />
          )
        }
      </QueryBoundary>
      {isIssuing && <IssueDialog device={device} zone={zone} onClose={() => setIsIssuing(false)} />}
      {credentialToRevoke && (
        <ConfirmDialog
          title={t("devices.revoke_question", { name: `${device.name} · ${credentialToRevoke.name}` })}
          confirmLabel={t("devices.revoke")}
          onConfirm={() => revoke(credentialToRevoke)}
          onClose={() => setCredentialToRevoke(null)}
        >
          <p>{t("devices.revoke_text")}</p>
        </ConfirmDialog>
      )}
    </Card>
  );
}

const hasExpired = ({ expires_at }: Credential) => expires_at !== null && Date.parse(expires_at) <= serverNow();
const isValid = (credential: Credential) => credential.revoked_at === null && !hasExpired(credential);

function CredentialState({ credential, zone }: { credential: Credential; zone: string | undefined }) {
  const t = useTranslation();
  const { revoked_at, expires_at } = credential;
  if (revoked_at) return `${t("devices.revoked")}, ${formatDateTime(revoked_at, zone)}`;
  if (hasExpired(credential)) return t("devices.expired");
  return expires_at ? `${t("devices.expires")} ${formatDateTime(expires_at, zone)}` : t("devices.valid");
}

function IssueDialog({ device, zone, onClose }: CredentialsProps & { onClose: () => void }) {
  const t = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [lastDay, setLastDay] = useState("");
  const [issued, setIssued] = useState<{ token: string | null } | null>(null);
  const keyFor = useIdempotencyKey();
  // Valid until the end of that day at the hospital.
  const expiresAt = lastDay === "" ? null : new Date(startOfDay(addDays(lastDay), zone));
  const validate = () => ({
    ...(name.trim() === "" && { name: t("common.required") }),
    ...(expiresAt && expiresAt.getTime() <= serverNow() && { expires_at: t("devices.expires_past") }),
  });
  const issue = async () => {
    const until = expiresAt?.toISOString() ?? null;
    setIssued(await issueCredential(device.device_id, name.trim(), until, keyFor([name.trim(), until])));
    await client.invalidateQueries({ queryKey: ["devices", "credentials", device.device_id] });
  };
  if (issued?.token) {
    return (
      <OneTimeSecretDialog title={t("devices.token_title")} label={t("devices.token")} value={issued.token} onClose={onClose}>
        <p>{t("devices.token_text")}</p>
      </OneTimeSecretDialog>
    );
  }
  return (
    <Dialog title={t("devices.issue")} onClose={onClose}>
      {issued ? (
        <p role="alert">{t("devices.token_gone")}</p>
      ) : (
        <Form
          submitLabel={t("devices.issue")}
          validate={validate}
          onSubmit={issue}
          onCancel={onClose}
          labels={{ name: t("devices.credential_name"), expires_at: t("devices.expires") }}
        >
          {(field) => (
            <>
              <TextInput
                {...field("name")}
                label={t("devices.credential_name")}
                description={t("devices.credential_hint")}
                withAsterisk
                autoComplete="off"
                maxLength={120}
                value={name}
                onChange={({ currentTarget }) => setName(currentTarget.value)}
              />
              <TextInput
                {...field("expires_at")}
                type="date"
                label={t("devices.expires")}
                description={t("devices.expires_hint")}
                value={lastDay}
                onChange={({ currentTarget }) => setLastDay(currentTarget.value)}
              />
            </>
          )}
        </Form>
      )}
    </Dialog>
  );
}
