// Every key that a hospital's programs ever had, what it may do and when it was last used.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { queries } from "../api/queries.ts";
import { Confirm } from "../design/confirm.tsx";
import { type Column, DataTable, PAGES } from "../design/data-table.tsx";
import layout from "../design/layout.module.css";
import { Card, Page } from "../design/page.tsx";
import { dateTime } from "../design/time.ts";
import { HospitalSelect } from "../hospitals/hospital-select.tsx";
import { useHospitalName, useZone } from "../hospitals/use-hospitals.ts";
import { serverNow } from "../live/server-clock.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { type ApiKey, listKeys, revokeKey, stateOf } from "./api.ts";
import classes from "./api-keys.module.css";
import { NewKey } from "./new-key.tsx";
import { Rotate } from "./rotate.tsx";

type Act = { act: "new" } | { act: "rotate" | "revoke"; key: ApiKey };

export function ApiKeysPage() {
  const say = useSay();
  const zone = useZone();
  const isAdmin = useMe().role === "admin";
  const nameOfHospital = useHospitalName();
  const { hospital } = useSearch({ from: "/house/admin/api-keys" });
  const navigate = useNavigate({ from: "/admin/api-keys" });
  const [open, setOpen] = useState<Act | null>(null);
  const query = useInfiniteQuery({
    queryKey: ["admin", "api-keys", hospital ?? null],
    queryFn: ({ pageParam }) => listKeys(hospital, pageParam),
    ...PAGES,
  });
  const changed = () => queries.invalidateQueries({ queryKey: ["admin", "api-keys"] });
  const close = () => setOpen(null);
  const moment = (at: string | null, none: string) => (at ? dateTime(at, zone) : none);
  const where: Column<ApiKey> = {
    label: say("hospitals.hospital"),
    cell: ({ hospital_id }) => nameOfHospital(hospital_id),
  };
  const columns: Column<ApiKey>[] = [
    { label: say("keys.name"), cell: ({ name }) => name },
    {
      label: say("keys.scopes"),
      cell: ({ scopes }) => scopes.map((scope) => sayOf("keys.scope", scope)).join(", "),
    },
    ...(isAdmin ? [where] : []),
    {
      label: say("keys.state"),
      cell: (key) => <span className={classes.word}>{sayOf("keys.state", stateOf(key, serverNow()))}</span>,
    },
    { label: say("keys.last_used"), cell: ({ last_used_at }) => moment(last_used_at, say("common.never")) },
    { label: say("keys.expires"), cell: ({ expires_at }) => moment(expires_at, say("keys.forever")) },
    { label: say("keys.created"), cell: ({ created_at }) => dateTime(created_at, zone) },
    {
      label: say("common.edit"),
      align: "end",
      cell: (key) =>
        stateOf(key, serverNow()) === "works" && (
          <div className={layout.endActs}>
            <Button size="xs" variant="default" onClick={() => setOpen({ act: "rotate", key })}>
              {say("keys.rotate")}
            </Button>
            <Button size="xs" variant="outline" color="red" onClick={() => setOpen({ act: "revoke", key })}>
              {say("keys.revoke")}
            </Button>
          </div>
        ),
    },
  ];
  return (
    <Page title={say("nav.api_keys")} actions={<Button onClick={() => setOpen({ act: "new" })}>{say("keys.new")}</Button>}>
      <Card>
        <div className={classes.filters}>
          <HospitalSelect
            value={hospital ?? ""}
            onChange={(id) => void navigate({ search: { hospital: id }, replace: true })}
            none={say("keys.any_hospital")}
          />
        </div>
        <DataTable
          label={say("nav.api_keys")}
          columns={columns}
          query={query}
          keyOf={({ api_key_id }) => api_key_id}
          filtered={Boolean(hospital)}
          empty={say("keys.none")}
        />
      </Card>
      {open?.act === "new" && <NewKey zone={zone} changed={changed} onClose={close} />}
      {open?.act === "rotate" && <Rotate apiKey={open.key} changed={changed} onClose={close} />}
      {open?.act === "revoke" && (
        <Confirm
          title={say("keys.revoke_title", { name: open.key.name })}
          act={say("keys.revoke")}
          onConfirm={() => revokeKey(open.key.api_key_id).finally(changed)}
          onClose={close}
        >
          <p>{say("keys.revoke_text")}</p>
        </Confirm>
      )}
    </Page>
  );
}
