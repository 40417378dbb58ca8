// Ward limits per age group, over the defaults, with the sources of the defaults.
import { NativeSelect } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { AGE_BANDS, type AgeBand } from "../../../../src/monitoring/vitals/model.ts";
import { useMe } from "../../accounts/session/use-session.ts";
import { useHospitals, useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { useActiveWards } from "../../organization/wards/use-wards.ts";
import { Page } from "../../platform/design/page.tsx";
import { EmptyState, QueryBoundary } from "../../platform/design/query-states.tsx";
import { usePageZone } from "../../platform/design/screen-zone.ts";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { DefaultsCard } from "./defaults-card.tsx";
import { LimitsChangeLog } from "./limits-change-log.tsx";
import classes from "./rules.module.css";
import { WardRules } from "./ward-rules.tsx";

export function RulesPage() {
  const t = useTranslation();
  const { ward } = useSearch({ strict: false });
  const navigate = useNavigate();
  const [ageBand, setAgeBand] = useState<AgeBand>("adult");
  const { hospital: ownHospital } = useMe();
  const [chosenHospitalId, setChosenHospitalId] = useState("");
  // Platform administrators have no hospital: wards of the chosen hospital, or of the ward in the URL.
  const wards = useActiveWards(
    ownHospital?.id ?? (chosenHospitalId || null),
    ownHospital !== null || chosenHospitalId !== "" || ward !== undefined,
  );
  const selectedWard = wards.data?.find(({ ward_id }) => ward_id === ward);
  const hospitalId = ownHospital?.id ?? (chosenHospitalId || selectedWard?.hospital_id);
  const zone = useHospitalTimeZone(hospitalId);
  usePageZone(zone);
  const hospitalWards = wards.data?.filter((candidate) => candidate.hospital_id === hospitalId) ?? [];
  const selectWard = (next: string | undefined) =>
    void navigate({ to: "/admin/rules", search: next ? { ward: next } : {}, replace: true });
  return (
    <Page title={t("rules.rules")}>
      <div className={classes.pickers}>
        {ownHospital === null && (
          <HospitalPicker
            value={hospitalId ?? ""}
            onChoose={(id) => {
              setChosenHospitalId(id);
              selectWard(undefined);
            }}
          />
        )}
        {hospitalId && (
          <NativeSelect
            label={t("rules.ward")}
            data={[
              { value: "", label: t("rules.choose_ward") },
              ...hospitalWards.map(({ ward_id, name }) => ({ value: ward_id, label: name })),
            ]}
            value={selectedWard?.ward_id ?? ""}
            onChange={({ currentTarget }) => selectWard(currentTarget.value)}
          />
        )}
        <NativeSelect
          label={t("rules.age_band")}
          data={AGE_BANDS.toReversed().map((value) => ({ value, label: translateCode("rules.band", value) }))}
          value={ageBand}
          onChange={({ currentTarget: { value } }) => setAgeBand(AGE_BANDS.find((candidate) => candidate === value) ?? ageBand)}
        />
      </div>
      {!hospitalId && ward === undefined && <EmptyState>{t("rules.choose_hospital")}</EmptyState>}
      {(hospitalId || ward !== undefined) && (
        <QueryBoundary query={wards}>
          {(items) =>
            selectedWard ? (
              <WardRules key={`${selectedWard.ward_id} ${ageBand}`} ward={selectedWard} ageBand={ageBand} zone={zone} />
            ) : (
              <EmptyState>{t(items.length === 0 ? "rules.no_wards" : "rules.choose_ward")}</EmptyState>
            )
          }
        </QueryBoundary>
      )}
      {selectedWard && (
        <LimitsChangeLog
          hospitalId={hospitalId}
          zone={zone}
          isShown={({ entity }) => entity?.type === "ward" && entity.id === selectedWard.ward_id}
        />
      )}
      <DefaultsCard band={ageBand} />
    </Page>
  );
}

function HospitalPicker({ value, onChoose }: { value: string; onChoose: (hospitalId: string) => void }) {
  const t = useTranslation();
  const { data = [] } = useHospitals();
  return (
    <NativeSelect
      label={t("rules.hospital")}
      data={[
        { value: "", label: t("rules.choose_hospital") },
        ...data.map(({ hospital_id, name }) => ({ value: hospital_id, label: name })),
      ]}
      value={value}
      onChange={({ currentTarget }) => onChoose(currentTarget.value)}
    />
  );
}
