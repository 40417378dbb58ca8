// The limits of one ward, over the defaults of one age group.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Card } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { dateTime } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { type AgeBand, putWardRule, removeWardRule } from "./api.ts";
import { FIELDS, rulesOfWard, type VitalRule } from "./limits.ts";
import { type Keeper, LimitsEditor, TakeBack } from "./limits-editor.tsx";
import { useStaffName } from "./limits-log.tsx";
import { LimitsTable } from "./limits-table.tsx";
import classes from "./rules.module.css";
import { useBeneath } from "./use-beneath.ts";

type WardRulesProps = {
  ward: { ward_id: string; hospital_id: string; name: string };
  band: AgeBand;
  zone: string | undefined;
};

export function WardRules({ ward, band, zone }: WardRulesProps) {
  const say = useSay();
  const [open, setOpen] = useState<{ rule: VitalRule; act: "change" | "take_back" } | null>(null);
  const beneath = useBeneath(band, ward.ward_id);
  const rules = beneath.data && rulesOfWard(beneath.data.defaults, beneath.data.ward, beneath.data.adults);
  const keeper = useWardKeeper(ward.ward_id);
  const nameOf = useStaffName(ward.hospital_id);
  const lastChange = {
    label: say("rules.last_change"),
    cell: ({ changed }: VitalRule) =>
      changed && (
        <span className={classes.hint}>
          {nameOf({ id: changed.by, role: null })}, {dateTime(changed.at, zone)}
        </span>
      ),
  };
  const close = () => setOpen(null);
  return (
    <Card title={say("rules.limits_of", { ward: ward.name })}>
      <Query query={{ ...beneath, data: rules }}>
        {(shown) => (
          <>
            <p className={classes.note}>
              {sayOf("rules.band", band)} ·{" "}
              {say("rules.marked", {
                n: shown.filter(({ from }) => FIELDS.some((field) => from[field] !== "default")).length,
                total: shown.length,
              })}
            </p>
            <LimitsTable
              rules={shown}
              more={lastChange}
              onChange={(rule) => setOpen({ rule, act: "change" })}
              onTakeBack={(rule) => setOpen({ rule, act: "take_back" })}
            />
          </>
        )}
      </Query>
      {open?.act === "change" && <LimitsEditor rule={open.rule} keeper={keeper} zone={zone} onClose={close} />}
      {open?.act === "take_back" && <TakeBack rule={open.rule} keeper={keeper} zone={zone} onClose={close} />}
    </Card>
  );
}

function useWardKeeper(wardId: string): Keeper {
  const client = useQueryClient();
  return {
    preview: null,
    put: ({ code, version }, limits) => putWardRule(wardId, code, version, limits),
    remove: ({ code, version }) => removeWardRule(wardId, code, version ?? 0),
    reload: () => client.invalidateQueries({ queryKey: ["rules"] }),
  };
}
