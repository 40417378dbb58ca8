// Whether the record is in use; it is made inactive, and active again, with a reason.
import { Button, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Dialog } from "../../platform/design/dialog.tsx";
import { Form, validateRequired } from "../../platform/design/form.tsx";
import { Card } from "../../platform/design/page.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import type { Patient } from "../api.ts";
import { changePatient } from "../record/record-api.ts";

export function RecordStateCard({ data, etag }: { data: Patient; etag: string }) {
  const t = useTranslation();
  const [isChanging, setIsChanging] = useState(false);
  const { is_active, monitoring } = data;
  return (
    <Card title={t("identity.state")}>
      <p>{t(is_active ? "identity.is_active" : "identity.is_inactive")}</p>
      {is_active && monitoring !== "off" && <p>{translateCode("patients.monitoring", monitoring)}</p>}
      <Button variant="default" onClick={() => setIsChanging(true)}>
        {t(is_active ? "identity.deactivate" : "identity.activate")}
      </Button>
      {isChanging && <StateDialog data={data} etag={etag} onClose={() => setIsChanging(false)} />}
    </Card>
  );
}

function StateDialog({ data, etag, onClose }: { data: Patient; etag: string; onClose: () => void }) {
  const t = useTranslation();
  const queryClient = useQueryClient();
  const [reason, setReason] = useState("");
  const { patient_id, is_active } = data;
  const save = async () => {
    await changePatient(patient_id, etag, { is_active: !is_active, reason: reason.trim() });
    await queryClient.invalidateQueries({ queryKey: ["patients", patient_id] });
    announce(t(is_active ? "identity.now_inactive" : "identity.now_active"));
    onClose();
  };
  return (
    <Dialog title={t(is_active ? "identity.deactivate_title" : "identity.activate_title")} onClose={onClose}>
      <p>{t(is_active ? "identity.deactivate_text" : "identity.activate_text")}</p>
      <Form
        submitLabel={t(is_active ? "identity.deactivate" : "identity.activate")}
        validate={() => validateRequired({ reason })}
        onSubmit={save}
        onCancel={onClose}
        labels={{ reason: t("identity.reason") }}
      >
        {(field) => (
          <TextInput
            {...field("reason")}
            label={t("identity.reason")}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
            maxLength={200}
            autoComplete="off"
            required
            data-autofocus
          />
        )}
      </Form>
    </Dialog>
  );
}
