// History of a patient's identity: when, who, which field, and both values.
import type { ReactNode } from "react";
import { DataTable } from "../../platform/design/data-table.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import { Card } from "../../platform/design/page.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { type IdentityChange, useIdentityChanges } from "./api.ts";
import classes from "./identity.module.css";
import { formatIdentityValue } from "./identity-form.tsx";

type ChangesCardProps = {
  patientId: string;
  zone: string | undefined;
  /** Who made a change, where the API does not name them. */
  renderActor: (change: IdentityChange) => ReactNode;
};

export function ChangesCard({ patientId, zone, renderActor }: ChangesCardProps) {
  const t = useTranslation();
  const query = useIdentityChanges(patientId);
  return (
    <Card title={t("identity.changes")}>
      <DataTable
        label={t("identity.changes")}
        query={query}
        empty={t("identity.no_changes")}
        rowKey={({ change_id }) => change_id}
        columns={[
          { label: t("identity.when"), cell: ({ changed_at }) => formatDateTime(changed_at, zone) },
          { label: t("identity.who"), cell: (change) => change.changed_by.name ?? renderActor(change) },
          { label: t("identity.what"), cell: (change) => <Fields change={change} /> },
        ]}
      />
    </Card>
  );
}

function Fields({ change: { fields, reason } }: { change: IdentityChange }) {
  const t = useTranslation();
  return (
    <ul className={classes.changes}>
      {fields.map(({ field, before, after }) => (
        <li key={field}>
          {translateCode("identity.changed", field)}: <del>{formatIdentityValue(field, before)}</del>{" "}
          <span aria-hidden="true">→</span> <ins>{formatIdentityValue(field, after)}</ins>
        </li>
      ))}
      {reason && <li className={classes.text}>{t("identity.because", { reason })}</li>}
    </ul>
  );
}
