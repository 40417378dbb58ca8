// Alarm rules of wards: one ward's limits over the defaults of an age group, and the defaults with their sources.
import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Page } from "../design/page.tsx";
import { Empty, Query } from "../design/states.tsx";
import { useHospitals } from "../hospitals/use-hospitals.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { listWards } from "../patients/api.ts";
import { useMe } from "../session/use-session.ts";
import { AGE_BANDS, type AgeBand } from "./api.ts";
import { DefaultsCard } from "./defaults-card.tsx";
import { LimitsLog } from "./limits-log.tsx";
import classes from "./rules.module.css";
import { useZoneOf } from "./use-patient.ts";
import { WardRules } from "./ward-rules.tsx";

export function RulesPage() {
  const say = useSay();
  const { ward } = useSearch({ strict: false });
  const navigate = useNavigate();
  const [band, setBand] = useState<AgeBand>("adult");
  const { hospital: own } = useMe();
  const [chosen, setChosen] = useState("");
  // A platform's administrator works for no hospital: its wards are read by the one that is chosen, or the ward's own.
  const wards = useQuery({
    queryKey: ["wards", own?.id ?? chosen, "active"],
    queryFn: () => listWards(own?.id ?? (chosen || null)),
    enabled: own !== null || chosen !== "" || ward !== undefined,
  });
  const named = wards.data?.items.find(({ ward_id }) => ward_id === ward);
  const hospitalId = own?.id ?? (chosen || named?.hospital_id);
  const zone = useZoneOf(hospitalId);
  const offered = wards.data?.items.filter((one) => one.hospital_id === hospitalId) ?? [];
  const show = (next: string | undefined) =>
    void navigate({ to: "/admin/rules", search: next ? { ward: next } : {}, replace: true });
  return (
    <Page title={say("rules.rules")}>
      <div className={classes.pickers}>
        {own === null && (
          <HospitalPicker
            value={hospitalId ?? ""}
            onChoose={(id) => {
              setChosen(id);
              show(undefined);
            }}
          />
        )}
        {hospitalId && (
          <NativeSelect
            label={say("rules.ward")}
            data={[
              { value: "", label: say("rules.choose_ward") },
              ...offered.map(({ ward_id, name }) => ({ value: ward_id, label: name })),
            ]}
            value={named?.ward_id ?? ""}
            onChange={({ currentTarget }) => show(currentTarget.value)}
          />
        )}
        <NativeSelect
          label={say("rules.age_band")}
          data={AGE_BANDS.toReversed().map((value) => ({ value, label: sayOf("rules.band", value) }))}
          value={band}
          onChange={({ currentTarget: { value } }) => setBand(AGE_BANDS.find((one) => one === value) ?? band)}
        />
      </div>
      {!hospitalId && ward === undefined && <Empty>{say("rules.choose_hospital")}</Empty>}
      {(hospitalId || ward !== undefined) && (
        <Query query={wards}>
          {({ items }) =>
            named ? (
              <WardRules key={`${named.ward_id} ${band}`} ward={named} band={band} zone={zone} />
            ) : (
              <Empty>{say(items.length === 0 ? "rules.no_wards" : "rules.choose_ward")}</Empty>
            )
          }
        </Query>
      )}
      {named && (
        <LimitsLog
          hospitalId={hospitalId}
          zone={zone}
          isShown={({ entity }) => entity?.type === "ward" && entity.id === named.ward_id}
        />
      )}
      <DefaultsCard band={band} />
    </Page>
  );
}

function HospitalPicker({ value, onChoose }: { value: string; onChoose: (hospitalId: string) => void }) {
  const say = useSay();
  const { data = [] } = useHospitals();
  return (
    <NativeSelect
      label={say("rules.hospital")}
      data={[
        { value: "", label: say("rules.choose_hospital") },
        ...data.map(({ hospital_id, name }) => ({ value: hospital_id, label: name })),
      ]}
      value={value}
      onChange={({ currentTarget }) => onChoose(currentTarget.value)}
    />
  );
}
