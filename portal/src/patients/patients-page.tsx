// Patients page: monitored patients by risk, others by name, and the search.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useConnection } from "../monitoring/live/use-live.ts";
import { useActiveWards } from "../organization/wards/use-wards.ts";
import { CURSOR_PAGINATION } from "../platform/design/data-table.tsx";
import layout from "../platform/design/layout.module.css";
import { Card, Page } from "../platform/design/page.tsx";
import { EmptyState, LoadError, Loading, QueryBoundary, RefetchError } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { listMonitored, listPatients, type PatientFilters, type PatientSummary } from "./api.ts";
import { NewPatientDialog } from "./new-patient-dialog.tsx";
import classes from "./patient-table.module.css";
import { PatientTable } from "./patient-table.tsx";
import { isSearchable, setSearchHospital, usePatientSearch, useSearchHospital } from "./use-patient-search.ts";
import { sortByName, useRiskOrder } from "./use-risk-order.ts";

type PatientGroup = "monitored" | "off" | "inactive";
type WardNames = ReadonlyMap<string, string>;

export function PatientsPage() {
  const t = useTranslation();
  const { show, ward } = useSearch({ from: "/signed-in/patients" });
  // The search text may be a name: it stays in memory, unlike the filters.
  const [text, setText] = useState("");
  const [isAdding, setIsAdding] = useState(false);
  const hospital = useSearchHospital();
  const wardsQuery = useActiveWards(hospital.id, hospital.isReady);
  const wards: WardNames = new Map(wardsQuery.data?.map(({ ward_id, name }) => [ward_id, name] as const));
  const filters: PatientFilters = { ...(ward && { ward_id: ward }), ...(hospital.id && { hospital_id: hospital.id }) };
  const isSearching = isSearchable(text);
  return (
    <Page title={t("nav.patients")} actions={<Button onClick={() => setIsAdding(true)}>{t("patients.new")}</Button>}>
      <div className={`${layout.filters} ${classes.filters}`}>
        <TextInput
          className={classes.search ?? ""}
          type="search"
          label={t("patients.search.label")}
          description={t("patients.search.hint")}
          value={text}
          onChange={(event) => setText(event.target.value)}
          autoComplete="off"
          spellCheck={false}
        />
        {hospital.hospitals.length > 1 && (
          <NativeSelect
            label={t("patients.hospital")}
            value={hospital.id ?? ""}
            onChange={(event) => setSearchHospital(event.target.value)}
            data={hospital.hospitals.map(({ hospital_id, name }) => ({ value: hospital_id, label: name }))}
          />
        )}
        {!isSearching && <Filters show={show} ward={ward} wards={wards} />}
      </div>
      {isSearching ? (
        <SearchResults text={text} wards={wards} />
      ) : hospital.isReady ? (
        <PatientLists show={show} filtered={Boolean(ward)} filters={filters} wards={wards} />
      ) : (
        <Loading />
      )}
      {isAdding && <NewPatientDialog hospital={hospital} onClose={() => setIsAdding(false)} />}
    </Page>
  );
}

function Filters({ show, ward, wards }: { show: string | undefined; ward: string | undefined; wards: WardNames }) {
  const t = useTranslation();
  const navigate = useNavigate({ from: "/patients" });
  const updateSearch = (change: { show?: string; ward?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  const allOption = { value: "", label: t("common.all") };
  return (
    <>
      <NativeSelect
        label={t("patients.monitoring")}
        value={show ?? ""}
        onChange={(event) => updateSearch({ show: event.target.value })}
        data={[
          allOption,
          { value: "monitored", label: t("patients.show.monitored") },
          { value: "off", label: t("patients.show.off") },
          { value: "inactive", label: t("patients.show.inactive") },
        ]}
      />
      <NativeSelect
        label={t("patients.ward")}
        value={ward ?? ""}
        onChange={(event) => updateSearch({ ward: event.target.value })}
        data={[allOption, ...[...wards].map(([value, label]) => ({ value, label }))]}
      />
    </>
  );
}

type PatientListsProps = { show: string | undefined; filtered: boolean; filters: PatientFilters; wards: WardNames };

function PatientLists({ show, filtered, filters, wards }: PatientListsProps) {
  const groups: readonly PatientGroup[] =
    show === "monitored" || show === "off" || show === "inactive" ? [show] : ["monitored", "off"];
  const otherFilters: PatientFilters =
    show === "inactive" ? { ...filters, active: "false" } : { ...filters, monitoring: "off", active: "true" };
  return (
    <>
      {groups.includes("monitored") && <MonitoredPatients filters={filters} filtered={filtered} wards={wards} />}
      {show !== "monitored" && (
        <OtherPatients filters={otherFilters} filtered={filtered} isInactive={show === "inactive"} wards={wards} />
      )}
    </>
  );
}

type ListProps = { filters: PatientFilters; filtered: boolean; wards: WardNames };

function MonitoredPatients({ filters, filtered, wards }: ListProps) {
  const t = useTranslation();
  const query = useQuery({
    queryKey: ["patients", "monitored", filters],
    queryFn: async () => {
      const [ward, home] = await Promise.all([listMonitored("ward", filters), listMonitored("home", filters)]);
      return { items: [...ward.items, ...home.items], complete: ward.complete && home.complete };
    },
  });
  return (
    <Card title={t("patients.monitored")}>
      <QueryBoundary query={query}>
        {({ items, complete }) =>
          items.length === 0 ? (
            <EmptyState>{t(filtered ? "common.nothing_found" : "patients.none_monitored")}</EmptyState>
          ) : (
            <>
              <RiskOrderedPatients patients={items} wards={wards} />
              {!complete && <p className={layout.note}>{t("patients.too_many")}</p>}
            </>
          )
        }
      </QueryBoundary>
    </Card>
  );
}

function RiskOrderedPatients({ patients, wards }: { patients: readonly PatientSummary[]; wards: WardNames }) {
  const t = useTranslation();
  const link = useConnection();
  const { shown, movedCount, reorder, holdHandlers } = useRiskOrder(patients);
  const live = link.status !== "off";
  return (
    <div {...holdHandlers}>
      <div className={classes.moved}>
        {live ? t("patients.by_risk") : t("patients.by_name")}
        {movedCount > 0 && (
          <Button variant="default" size="compact-sm" onClick={reorder}>
            {t("patients.reorder", { n: movedCount })}
          </Button>
        )}
      </div>
      <PatientTable label={t("patients.monitored")} patients={shown} wards={wards} isLive={live} />
    </div>
  );
}

function OtherPatients({ filters, filtered, isInactive, wards }: ListProps & { isInactive: boolean }) {
  const t = useTranslation();
  const query = useInfiniteQuery({
    queryKey: ["patients", "others", filters],
    queryFn: ({ pageParam }) => listPatients(filters, pageParam),
    ...CURSOR_PAGINATION,
  });
  const title = t(isInactive ? "patients.show.inactive" : "patients.show.off");
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  const pagination = query.data?.pages[0]?.pagination;
  if (!query.data) {
    return (
      <Card title={title}>
        {query.error ? <LoadError error={query.error} retry={() => void query.refetch()} /> : <Loading />}
      </Card>
    );
  }
  if (items.length === 0)
    return <Card title={title}>{<EmptyState>{t(filtered ? "common.nothing_found" : "common.nothing")}</EmptyState>}</Card>;
  return (
    <Card title={title}>
      <p className={layout.note} role="status">
        {t(pagination?.total_is_exact === false ? "common.count_at_least" : "common.count", {
          n: items.length,
          total: Math.max(pagination?.total ?? 0, items.length),
        })}
        {" · "}
        {t(query.hasNextPage ? "patients.by_number" : "patients.by_name")}
      </p>
      <PatientTable label={title} patients={query.hasNextPage ? items : sortByName(items)} wards={wards} />
      <RefetchError error={query.error} />
      {query.hasNextPage && (
        <Button mt="sm" variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("common.show_more")}
        </Button>
      )}
    </Card>
  );
}

function SearchResults({ text, wards }: { text: string; wards: WardNames }) {
  const t = useTranslation();
  const { query, waiting: isWaiting, found: results } = usePatientSearch(text, 50);
  if (query.error) return <LoadError error={query.error} retry={() => void query.refetch()} />;
  if (isWaiting) return <Loading />;
  if (results.length === 0) return <EmptyState>{t("patients.search.nobody")}</EmptyState>;
  return (
    <Card title={t("patients.search.found")}>
      <p className={layout.note} role="status">
        {t("patients.search.n_found", { n: results.length })}
      </p>
      <PatientTable label={t("patients.search.found")} patients={results} wards={wards} />
      {query.hasNextPage && (
        <Button mt="sm" variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("common.show_more")}
        </Button>
      )}
    </Card>
  );
}
