// The alarm limits of one patient: what is in force and where it comes from, what the score needs to know, who changed it.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { StaffName } from "../alarms/names.tsx";
import { Card, Page } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { dateTime } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { type Effective, previewRule, putPatientRule, readEffective, removePatientRule } from "./api.ts";
import { FIELDS, rulesOfPatient, type VitalRule } from "./limits.ts";
import { type Keeper, LimitsEditor, TakeBack } from "./limits-editor.tsx";
import { LimitsLog } from "./limits-log.tsx";
import { LimitsTable } from "./limits-table.tsx";
import { MonitoringCard } from "./monitoring-card.tsx";
import classes from "./rules.module.css";
import { Sources } from "./sources.tsx";
import { useBeneath } from "./use-beneath.ts";
import { usePatient, useZoneOf } from "./use-patient.ts";

export function LimitsPage() {
  const say = useSay();
  const { patientId = "" } = useParams({ strict: false });
  const { role } = useMe();
  const patient = usePatient(patientId);
  const zone = useZoneOf(patient.data?.data.hospital_id);
  const query = useQuery({ queryKey: ["rules", "effective", patientId], queryFn: () => readEffective(patientId) });
  return (
    <Page title={say("rules.limits")}>
      <Query query={query}>
        {(effective) => (
          <>
            <LimitsCard effective={effective} zone={zone} />
            <MonitoringCard patientId={patientId} zone={zone} />
            {(role === "admin" || role === "hospital_admin") && (
              <LimitsLog patientId={patientId} hospitalId={patient.data?.data.hospital_id} zone={zone} />
            )}
          </>
        )}
      </Query>
    </Page>
  );
}

function LimitsCard({ effective, zone }: { effective: Effective; zone: string | undefined }) {
  const say = useSay();
  const [open, setOpen] = useState<{ rule: VitalRule; act: "change" | "take_back" } | null>(null);
  const keeper = usePatientKeeper(effective.patient_id);
  const beneath = useBeneath(effective.age_band, effective.ward_id);
  const lastChange = {
    label: say("rules.last_change"),
    cell: ({ changed }: VitalRule) =>
      changed && (
        <span className={classes.hint}>
          <StaffName userId={changed.by} />, {dateTime(changed.at, zone)}
        </span>
      ),
  };
  return (
    <Card title={say("rules.table")}>
      <Query query={beneath}>
        {({ defaults, ward, adults }) => {
          const rules = rulesOfPatient(effective, defaults, ward, adults);
          const changed = rules.filter(({ from }) => FIELDS.some((field) => from[field] !== "default")).length;
          return (
            <>
              <p className={classes.note}>
                {say("rules.judged_as", { band: sayOf("rules.band", effective.age_band) })} ·{" "}
                {say("rules.marked", { n: changed, total: rules.length })}
              </p>
              <LimitsTable
                rules={rules}
                more={lastChange}
                onChange={(rule) => setOpen({ rule, act: "change" })}
                onTakeBack={(rule) => setOpen({ rule, act: "take_back" })}
              />
              <Sources defaults={defaults} />
            </>
          );
        }}
      </Query>
      {open?.act === "change" && <LimitsEditor rule={open.rule} keeper={keeper} zone={zone} onClose={() => setOpen(null)} />}
      {open?.act === "take_back" && <TakeBack rule={open.rule} keeper={keeper} zone={zone} onClose={() => setOpen(null)} />}
    </Card>
  );
}

function usePatientKeeper(patientId: string): Keeper {
  const client = useQueryClient();
  return {
    preview: (code, limits) => previewRule(patientId, code, limits),
    put: ({ code, version }, limits) => putPatientRule(patientId, code, version, limits),
    remove: ({ code, version }) => removePatientRule(patientId, code, version ?? 0),
    reload: () => client.invalidateQueries({ queryKey: ["rules"] }),
  };
}
