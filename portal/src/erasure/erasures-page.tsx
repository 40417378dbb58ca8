// Requests for erasure of a hospital, newest first.
import { NativeSelect } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMe } from "../accounts/session/use-session.ts";
import { useHospitalName, useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { type Column, DataTable } from "../platform/design/data-table.tsx";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card, Page } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { ERASURE_STATES, type Erasure, useErasures } from "./api.ts";
import { ErasureStateText } from "./erasure-state.tsx";
import { StaffName } from "./staff-name.tsx";

export function ErasuresPage() {
  const t = useTranslation();
  const search = useSearch({ from: "/signed-in/admin/erasures" });
  const navigate = useNavigate({ from: "/admin/erasures" });
  const state = ERASURE_STATES.find((one) => one === search.state);
  const query = useErasures(state);
  return (
    <Page title={t("nav.erasures")}>
      <p>{t("erasure.list_text")}</p>
      <Card>
        <div className={layout.filters}>
          <NativeSelect
            label={t("erasure.state")}
            value={state ?? ""}
            onChange={({ target }) => void navigate({ search: { state: target.value || undefined }, replace: true })}
            data={[
              { value: "", label: t("erasure.all_states") },
              ...ERASURE_STATES.map((value) => ({ value, label: t(`erasure.state.${value}`) })),
            ]}
          />
        </div>
        <DataTable
          label={t("nav.erasures")}
          columns={useColumns()}
          query={query}
          rowKey={({ erasure_id }) => erasure_id}
          isFiltered={state !== undefined}
          empty={t("erasure.no_requests")}
        />
      </Card>
    </Page>
  );
}

function useColumns(): Column<Erasure>[] {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const isAdmin = useMe().role === "admin";
  const getHospitalName = useHospitalName();
  return [
    { label: t("erasure.requested_at"), cell: ({ requested_at }) => formatDateTime(requested_at, zone) },
    ...(isAdmin ? [{ label: t("hospitals.hospital"), cell: ({ hospital_id }: Erasure) => getHospitalName(hospital_id) }] : []),
    {
      label: t("erasure.requested_by"),
      cell: ({ hospital_id, requested_by }) => <StaffName hospitalId={hospital_id} userId={requested_by} />,
    },
    { label: t("erasure.state"), cell: (erasure) => <ErasureStateText erasure={erasure} zone={zone} /> },
    {
      label: t("erasure.erasure"),
      cell: ({ erasure_id }) => (
        <Link to="/admin/erasures/$erasureId" params={{ erasureId: erasure_id }}>
          {t("erasure.open")}
        </Link>
      ),
    },
  ];
}
