// Dialog for a new key: name, permissions and expiry.
import { Checkbox, TextInput } from "@mantine/core";
import { useState } from "react";
import { serverNow } from "../../monitoring/live/server-clock.ts";
import { HospitalSelect } from "../../organization/hospitals/hospital-select.tsx";
import { addDays, dayInZone, startOfDay } from "../../platform/design/calendar-days.ts";
import { Dialog } from "../../platform/design/dialog.tsx";
import { type FieldErrors, Form, validateRequired } from "../../platform/design/form.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { useMe } from "../session/use-session.ts";
import { issueKey, SCOPES, type Scope } from "./api.ts";
import classes from "./api-keys.module.css";
import { KeySecretDialog } from "./key-secret-dialog.tsx";

const MAX_VALIDITY_DAYS = 5 * 365;

type NewKeyDialogProps = { zone: string | undefined; onChanged: () => Promise<unknown>; onClose: () => void };

export function NewKeyDialog({ zone, onChanged, onClose }: NewKeyDialogProps) {
  const t = useTranslation();
  const isAdmin = useMe().role === "admin";
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<Scope[]>([]);
  const [hospitalId, setHospitalId] = useState("");
  const [validUntil, setValidUntil] = useState("");
  const [issued, setIssued] = useState<{ token: string | null } | null>(null);
  if (issued) return <KeySecretDialog name={name} token={issued.token} onClose={onClose} />;

  const today = dayInZone(serverNow(), zone);
  const lastDay = addDays(today, MAX_VALIDITY_DAYS - 1);
  function getScopesError(): string | null {
    if (scopes.length === 0) return t("keys.choose_scopes");
    const writes = scopes.includes("patient:create") || scopes.includes("patient:update");
    return writes && !scopes.includes("patient:read") ? t("keys.needs_read") : null;
  }
  function validate(): FieldErrors {
    const scopesError = getScopesError();
    return {
      ...validateRequired({ name }),
      ...(scopesError && { scopes: scopesError }),
      ...(isAdmin && hospitalId === "" && { hospital_id: t("common.required_choice") }),
      ...(validUntil !== "" && (validUntil < today || validUntil > lastDay) && { expires_at: t("keys.until_wrong") }),
    };
  }
  async function submit() {
    const expires_at = validUntil === "" ? null : new Date(startOfDay(addDays(validUntil), zone)).toISOString();
    const newKey = { name: name.trim(), scopes, expires_at, ...(isAdmin && { hospital_id: hospitalId }) };
    setIssued(await issueKey(newKey, idempotencyKey));
    void onChanged();
  }
  const labels = {
    name: t("keys.name"),
    scopes: t("keys.scopes"),
    expires_at: t("keys.until"),
    hospital_id: t("hospitals.hospital"),
  };
  return (
    <Dialog title={t("keys.new")} onClose={onClose}>
      <Form submitLabel={t("keys.new")} validate={validate} onSubmit={submit} onCancel={onClose} labels={labels}>
        {(field) => (
          <>
            <TextInput
              {...field("name")}
              label={labels.name}
              description={t("keys.name_hint")}
              value={name}
              onChange={(event) => setName(event.target.value)}
              autoComplete="off"
              data-autofocus
            />
            <HospitalSelect
              {...field("hospital_id")}
              value={hospitalId}
              onChange={setHospitalId}
              emptyLabel={t("keys.choose_hospital")}
            />
            <Checkbox.Group
              error={field("scopes").error}
              label={labels.scopes}
              value={scopes}
              onChange={(values) => setScopes(SCOPES.filter((scope) => values.includes(scope)))}
            >
              <div className={classes.scopes}>
                {SCOPES.map((scope, i) => (
                  // The error summary links to the first checkbox.
                  <Checkbox
                    key={scope}
                    {...(i === 0 && { id: field("scopes").id })}
                    value={scope}
                    label={translateCode("keys.scope", scope)}
                  />
                ))}
              </div>
            </Checkbox.Group>
            <TextInput
              {...field("expires_at")}
              type="date"
              label={labels.expires_at}
              description={t("keys.until_hint")}
              value={validUntil}
              min={today}
              max={lastDay}
              onChange={(event) => setValidUntil(event.target.value)}
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}
