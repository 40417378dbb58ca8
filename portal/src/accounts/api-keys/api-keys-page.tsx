// All API keys of a hospital with permissions and last use.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { serverNow } from "../../monitoring/live/server-clock.ts";
import { HospitalSelect } from "../../organization/hospitals/hospital-select.tsx";
import { useHospitalName, useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { type Column, CURSOR_PAGINATION, DataTable } from "../../platform/design/data-table.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card, Page } from "../../platform/design/page.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { useMe } from "../session/use-session.ts";
import { type ApiKey, getKeyState, listKeys, revokeKey } from "./api.ts";
import classes from "./api-keys.module.css";
import { NewKeyDialog } from "./new-key-dialog.tsx";
import { RotateKeyDialog } from "./rotate-key-dialog.tsx";

type OpenDialog = { kind: "new" } | { kind: "rotate" | "revoke"; key: ApiKey };

export function ApiKeysPage() {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const isAdmin = useMe().role === "admin";
  const getHospitalName = useHospitalName();
  const { hospital } = useSearch({ from: "/signed-in/admin/api-keys" });
  const navigate = useNavigate({ from: "/admin/api-keys" });
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const query = useInfiniteQuery({
    queryKey: ["admin", "api-keys", hospital ?? null],
    queryFn: ({ pageParam }) => listKeys(hospital, pageParam),
    ...CURSOR_PAGINATION,
  });
  const invalidateKeys = () => queryClient.invalidateQueries({ queryKey: ["admin", "api-keys"] });
  const closeDialog = () => setDialog(null);
  const formatMoment = (at: string | null, fallback: string) => (at ? formatDateTime(at, zone) : fallback);
  const hospitalColumn: Column<ApiKey> = {
    label: t("hospitals.hospital"),
    cell: ({ hospital_id }) => getHospitalName(hospital_id),
  };
  const columns: Column<ApiKey>[] = [
    { label: t("keys.name"), cell: ({ name }) => name },
    {
      label: t("keys.scopes"),
      cell: ({ scopes }) => scopes.map((scope) => translateCode("keys.scope", scope)).join(", "),
    },
    ...(isAdmin ? [hospitalColumn] : []),
    {
      label: t("keys.state"),
      cell: (key) => <span className={classes.word}>{translateCode("keys.state", getKeyState(key, serverNow()))}</span>,
    },
    { label: t("keys.last_used"), cell: ({ last_used_at }) => formatMoment(last_used_at, t("common.never")) },
    { label: t("keys.expires"), cell: ({ expires_at }) => formatMoment(expires_at, t("keys.forever")) },
    { label: t("keys.created"), cell: ({ created_at }) => formatDateTime(created_at, zone) },
    {
      label: t("common.edit"),
      align: "end",
      cell: (key) =>
        getKeyState(key, serverNow()) === "works" && (
          <div className={layout.endActs}>
            <Button size="xs" variant="default" onClick={() => setDialog({ kind: "rotate", key })}>
              {t("keys.rotate")}
            </Button>
            <Button size="xs" variant="outline" color="red" onClick={() => setDialog({ kind: "revoke", key })}>
              {t("keys.revoke")}
            </Button>
          </div>
        ),
    },
  ];
  return (
    <Page title={t("nav.api_keys")} actions={<Button onClick={() => setDialog({ kind: "new" })}>{t("keys.new")}</Button>}>
      <Card>
        <div className={classes.filters}>
          <HospitalSelect
            value={hospital ?? ""}
            onChange={(id) => void navigate({ search: { hospital: id }, replace: true })}
            emptyLabel={t("keys.any_hospital")}
          />
        </div>
        <DataTable
          label={t("nav.api_keys")}
          columns={columns}
          query={query}
          rowKey={({ api_key_id }) => api_key_id}
          isFiltered={Boolean(hospital)}
          empty={t("keys.none")}
        />
      </Card>
      {dialog?.kind === "new" && <NewKeyDialog zone={zone} onChanged={invalidateKeys} onClose={closeDialog} />}
      {dialog?.kind === "rotate" && <RotateKeyDialog apiKey={dialog.key} onChanged={invalidateKeys} onClose={closeDialog} />}
      {dialog?.kind === "revoke" && (
        <ConfirmDialog
          title={t("keys.revoke_title", { name: dialog.key.name })}
          confirmLabel={t("keys.revoke")}
          onConfirm={() => revokeKey(dialog.key.api_key_id).finally(invalidateKeys)}
          onClose={closeDialog}
        >
          <p>{t("keys.revoke_text")}</p>
        </ConfirmDialog>
      )}
    </Page>
  );
}
