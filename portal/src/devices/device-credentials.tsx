// What a device sends with: issued once, shown once, revoked at once.
import { Button, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Confirm } from "../design/confirm.tsx";
import { type Column, Table } from "../design/data-table.tsx";
import { dayAfter, startOfDay } from "../design/days.ts";
import { Dialog } from "../design/dialog.tsx";
import { Form } from "../design/form.tsx";
import { Card } from "../design/page.tsx";
import { ShownOnce } from "../design/shown-once.tsx";
import { Empty, Query } from "../design/states.tsx";
import { dateTime } from "../design/time.ts";
import { serverNow } from "../live/server-clock.ts";
import { useSay } from "../messages/index.ts";
import { announce } from "../shell/announcer.tsx";
import { type Credential, type Device, issueCredential, listCredentials, revokeCredential } from "./api.ts";
import classes from "./devices.module.css";
import { useOnce } from "./use-once.ts";

type CredentialsProps = { device: Device; zone: string | undefined };

export function DeviceCredentials({ device, zone }: CredentialsProps) {
  const say = useSay();
  const client = useQueryClient();
  const [issuing, setIssuing] = useState(false);
  const [revoking, setRevoking] = useState<Credential | null>(null);
  const queryKey = ["devices", "credentials", device.device_id];
  const query = useQuery({ queryKey, queryFn: () => listCredentials(device.device_id) });
  const revoke = async ({ credential_id }: Credential) => {
    await revokeCredential(device.device_id, credential_id);
    await client.invalidateQueries({ queryKey });
    announce(say("devices.revoke_done"));
  };
  const columns: Column<Credential>[] = [
    { label: say("devices.credential_name"), cell: ({ name }) => name },
    { label: say("devices.created"), cell: ({ created_at }) => dateTime(created_at, zone) },
    {
      label: say("devices.last_used"),
      cell: ({ last_used_at }) => (last_used_at ? dateTime(last_used_at, zone) : say("common.never")),
    },
    { label: say("devices.state"), cell: (credential) => <State credential={credential} zone={zone} /> },
    {
      label: say("devices.revoke"),
      cell: (credential) =>
        isValid(credential) && (
          <Button
            variant="default"
            size="compact-sm"
            className={classes.act}
            onClick={() => setRevoking(credential)}
            aria-label={say("devices.revoke_of", { name: credential.name })}
          >
            {say("devices.revoke")}
          </Button>
        ),
    },
  ];
  return (
    <Card
      title={say("devices.credentials")}
      actions={device.is_active && <Button onClick={() => setIssuing(true)}>{say("devices.issue")}</Button>}
    >
      <Query query={query}>
        {(credentials) =>
          credentials.length === 0 ? (
            <Empty>{say("devices.no_credentials")}</Empty>
          ) : (
            <Table
              label={say("devices.credentials")}
              columns={columns}
              items={credentials}
              keyOf={({ credential_id }) => credential_id}
            />
          )
        }
      </Query>
      {issuing && <IssueDialog device={device} zone={zone} onClose={() => setIssuing(false)} />}
      {revoking && (
        <Confirm
          title={say("devices.revoke_question", { name: `${device.name} · ${revoking.name}` })}
          act={say("devices.revoke")}
          onConfirm={() => revoke(revoking)}
          onClose={() => setRevoking(null)}
        >
          <p>{say("devices.revoke_text")}</p>
        </Confirm>
      )}
    </Card>
  );
}

const hasExpired = ({ expires_at }: Credential) => expires_at !== null && Date.parse(expires_at) <= serverNow();
const isValid = (credential: Credential) => credential.revoked_at === null && !hasExpired(credential);

function State({ credential, zone }: { credential: Credential; zone: string | undefined }) {
  const say = useSay();
  const { revoked_at, expires_at } = credential;
  if (revoked_at) return `${say("devices.revoked")}, ${dateTime(revoked_at, zone)}`;
  if (hasExpired(credential)) return say("devices.expired");
  return expires_at ? `${say("devices.expires")} ${dateTime(expires_at, zone)}` : say("devices.valid");
}

function IssueDialog({ device, zone, onClose }: CredentialsProps & { onClose: () => void }) {
  const say = useSay();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [day, setDay] = useState("");
  const [issued, setIssued] = useState<{ token: string | null } | null>(null);
  const keyOf = useOnce();
  // Good until the end of that day at the hospital.
  const expiry = day === "" ? null : new Date(startOfDay(dayAfter(day), zone));
  const check = () => ({
    ...(name.trim() === "" && { name: say("common.required") }),
    ...(expiry && expiry.getTime() <= serverNow() && { expires_at: say("devices.expires_past") }),
  });
  const issue = async () => {
    const until = expiry?.toISOString() ?? null;
    setIssued(await issueCredential(device.device_id, name.trim(), until, keyOf([name.trim(), until])));
    await client.invalidateQueries({ queryKey: ["devices", "credentials", device.device_id] });
  };
  if (issued?.token) {
    return (
      <ShownOnce title={say("devices.token_title")} label={say("devices.token")} value={issued.token} onClose={onClose}>
        <p>{say("devices.token_text")}</p>
      </ShownOnce>
    );
  }
  return (
    <Dialog title={say("devices.issue")} onClose={onClose}>
      {issued ? (
        <p role="alert">{say("devices.token_gone")}</p>
      ) : (
        <Form
          submit={say("devices.issue")}
          check={check}
          onSubmit={issue}
          onCancel={onClose}
          labels={{ name: say("devices.credential_name"), expires_at: say("devices.expires") }}
        >
          {(field) => (
            <>
              <TextInput
                {...field("name")}
                label={say("devices.credential_name")}
                description={say("devices.credential_hint")}
                withAsterisk
                autoComplete="off"
                maxLength={120}
                value={name}
                onChange={({ currentTarget }) => setName(currentTarget.value)}
              />
              <TextInput
                {...field("expires_at")}
                type="date"
                label={say("devices.expires")}
                description={say("devices.expires_hint")}
                value={day}
                onChange={({ currentTarget }) => setDay(currentTarget.value)}
              />
            </>
          )}
        </Form>
      )}
    </Dialog>
  );
}
