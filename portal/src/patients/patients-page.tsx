// Patients: who is monitored by risk, the others by name, and the search.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { PAGES } from "../design/data-table.tsx";
import layout from "../design/layout.module.css";
import { Card, Page } from "../design/page.tsx";
import { Empty, Failed, Loading, NotDone, Query } from "../design/states.tsx";
import { useLink } from "../live/use-live.ts";
import { useSay } from "../messages/index.ts";
import { listMonitored, listPatients, listWards, type PatientFilters, type PatientSummary } from "./api.ts";
import { NewPatientDialog } from "./new-patient.tsx";
import classes from "./patient-table.module.css";
import { PatientTable } from "./patient-table.tsx";
import { byName, useRiskOrder } from "./risk-order.ts";
import { chooseHospital, isLongEnough, usePatientSearch, useSearchedHospital } from "./use-patient-search.ts";

type Shown = "monitored" | "off" | "inactive";
type Wards = ReadonlyMap<string, string>;

export function PatientsPage() {
  const say = useSay();
  const { show, ward } = useSearch({ from: "/house/patients" });
  // What is typed may be a name: it stays in memory, unlike the filters.
  const [text, setText] = useState("");
  const [adding, setAdding] = useState(false);
  const hospital = useSearchedHospital();
  const wardsOf = useQuery({
    queryKey: ["wards", hospital.id, "active"],
    queryFn: () => listWards(hospital.id),
    enabled: hospital.known,
  });
  const wards: Wards = new Map(wardsOf.data?.items.map(({ ward_id, name }) => [ward_id, name] as const));
  const filters: PatientFilters = { ...(ward && { ward_id: ward }), ...(hospital.id && { hospital_id: hospital.id }) };
  const searching = isLongEnough(text);
  return (
    <Page title={say("nav.patients")} actions={<Button onClick={() => setAdding(true)}>{say("patients.new")}</Button>}>
      <div className={`${layout.filters} ${classes.filters}`}>
        <TextInput
          className={classes.search ?? ""}
          type="search"
          label={say("patients.search.label")}
          description={say("patients.search.hint")}
          value={text}
          onChange={(event) => setText(event.target.value)}
          autoComplete="off"
          spellCheck={false}
        />
        {hospital.hospitals.length > 1 && (
          <NativeSelect
            label={say("patients.hospital")}
            value={hospital.id ?? ""}
            onChange={(event) => chooseHospital(event.target.value)}
            data={hospital.hospitals.map(({ hospital_id, name }) => ({ value: hospital_id, label: name }))}
          />
        )}
        {!searching && <Filters show={show} ward={ward} wards={wards} />}
      </div>
      {searching ? (
        <Found text={text} wards={wards} />
      ) : hospital.known ? (
        <Lists show={show} filtered={Boolean(ward)} filters={filters} wards={wards} />
      ) : (
        <Loading />
      )}
      {adding && <NewPatientDialog hospital={hospital} onClose={() => setAdding(false)} />}
    </Page>
  );
}

function Filters({ show, ward, wards }: { show: string | undefined; ward: string | undefined; wards: Wards }) {
  const say = useSay();
  const navigate = useNavigate({ from: "/patients" });
  const filter = (change: { show?: string; ward?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  const all = { value: "", label: say("common.all") };
  return (
    <>
      <NativeSelect
        label={say("patients.monitoring")}
        value={show ?? ""}
        onChange={(event) => filter({ show: event.target.value })}
        data={[
          all,
          { value: "monitored", label: say("patients.show.monitored") },
          { value: "off", label: say("patients.show.off") },
          { value: "inactive", label: say("patients.show.inactive") },
        ]}
      />
      <NativeSelect
        label={say("patients.ward")}
        value={ward ?? ""}
        onChange={(event) => filter({ ward: event.target.value })}
        data={[all, ...[...wards].map(([value, label]) => ({ value, label }))]}
      />
    </>
  );
}

type ListsProps = { show: string | undefined; filtered: boolean; filters: PatientFilters; wards: Wards };

function Lists({ show, filtered, filters, wards }: ListsProps) {
  const wanted: readonly Shown[] = show === "monitored" || show === "off" || show === "inactive" ? [show] : ["monitored", "off"];
  const off: PatientFilters =
    show === "inactive" ? { ...filters, active: "false" } : { ...filters, monitoring: "off", active: "true" };
  return (
    <>
      {wanted.includes("monitored") && <Monitored filters={filters} filtered={filtered} wards={wards} />}
      {show !== "monitored" && <Others filters={off} filtered={filtered} inactive={show === "inactive"} wards={wards} />}
    </>
  );
}

type ListProps = { filters: PatientFilters; filtered: boolean; wards: Wards };

function Monitored({ filters, filtered, wards }: ListProps) {
  const say = useSay();
  const query = useQuery({
    queryKey: ["patients", "monitored", filters],
    queryFn: async () => {
      const [ward, home] = await Promise.all([listMonitored("ward", filters), listMonitored("home", filters)]);
      return { items: [...ward.items, ...home.items], complete: ward.complete && home.complete };
    },
  });
  return (
    <Card title={say("patients.monitored")}>
      <Query query={query}>
        {({ items, complete }) =>
          items.length === 0 ? (
            <Empty>{say(filtered ? "common.nothing_found" : "patients.none_monitored")}</Empty>
          ) : (
            <>
              <ByRisk patients={items} wards={wards} />
              {!complete && <p className={layout.note}>{say("patients.too_many")}</p>}
            </>
          )
        }
      </Query>
    </Card>
  );
}

function ByRisk({ patients, wards }: { patients: readonly PatientSummary[]; wards: Wards }) {
  const say = useSay();
  const link = useLink();
  const { shown, moved, reorder, holding } = useRiskOrder(patients);
  const live = link.status !== "off";
  return (
    <div {...holding}>
      <div className={classes.moved}>
        {live ? say("patients.by_risk") : say("patients.by_name")}
        {moved > 0 && (
          <Button variant="default" size="compact-sm" onClick={reorder}>
            {say("patients.reorder", { n: moved })}
          </Button>
        )}
      </div>
      <PatientTable label={say("patients.monitored")} patients={shown} wards={wards} live={live} />
    </div>
  );
}

function Others({ filters, filtered, inactive, wards }: ListProps & { inactive: boolean }) {
  const say = useSay();
  const query = useInfiniteQuery({
    queryKey: ["patients", "others", filters],
    queryFn: ({ pageParam }) => listPatients(filters, pageParam),
    ...PAGES,
  });
  const title = say(inactive ? "patients.show.inactive" : "patients.show.off");
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  const first = query.data?.pages[0]?.pagination;
  if (!query.data) {
    return (
      <Card title={title}>{query.error ? <Failed error={query.error} retry={() => void query.refetch()} /> : <Loading />}</Card>
    );
  }
  if (items.length === 0)
    return <Card title={title}>{<Empty>{say(filtered ? "common.nothing_found" : "common.nothing")}</Empty>}</Card>;
  return (
    <Card title={title}>
      <p className={layout.note} role="status">
        {say(first?.total_is_exact === false ? "common.count_at_least" : "common.count", {
          n: items.length,
          total: Math.max(first?.total ?? 0, items.length),
        })}
        {" · "}
        {say(query.hasNextPage ? "patients.by_number" : "patients.by_name")}
      </p>
      <PatientTable label={title} patients={query.hasNextPage ? items : byName(items)} wards={wards} />
      <NotDone error={query.error} />
      {query.hasNextPage && (
        <Button mt="sm" variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {say("common.show_more")}
        </Button>
      )}
    </Card>
  );
}

function Found({ text, wards }: { text: string; wards: Wards }) {
  const say = useSay();
  const { query, waiting, found } = usePatientSearch(text, 50);
  if (query.error) return <Failed error={query.error} retry={() => void query.refetch()} />;
  if (waiting) return <Loading />;
  if (found.length === 0) return <Empty>{say("patients.search.nobody")}</Empty>;
  return (
    <Card title={say("patients.search.found")}>
      <p className={layout.note} role="status">
        {say("patients.search.n_found", { n: found.length })}
      </p>
      <PatientTable label={say("patients.search.found")} patients={found} wards={wards} />
      {query.hasNextPage && (
        <Button mt="sm" variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {say("common.show_more")}
        </Button>
      )}
    </Card>
  );
}
