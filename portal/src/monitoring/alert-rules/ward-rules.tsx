// Limits of one ward over the defaults of one age group.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { AgeBand } from "../../../../src/monitoring/vitals/model.ts";
import { formatDateTime } from "../../platform/design/format.ts";
import { Card } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { removeWardRule, saveWardRule } from "./api.ts";
import { useActorName } from "./limits-change-log.tsx";
import { LimitsEditor, type LimitsTarget, ResetLimitsDialog } from "./limits-editor.tsx";
import { LimitsTable } from "./limits-table.tsx";
import { buildWardRules, RULE_FIELDS, type VitalRule } from "./rule-limits.ts";
import classes from "./rules.module.css";
import { useInheritedRules } from "./use-inherited-rules.ts";

type WardRulesProps = {
  ward: { ward_id: string; hospital_id: string; name: string };
  ageBand: AgeBand;
  zone: string | undefined;
};

export function WardRules({ ward, ageBand, zone }: WardRulesProps) {
  const t = useTranslation();
  const [dialog, setDialog] = useState<{ rule: VitalRule; kind: "change" | "take_back" } | null>(null);
  const inheritedRules = useInheritedRules(ageBand, ward.ward_id);
  const rules =
    inheritedRules.data &&
    buildWardRules(inheritedRules.data.defaults, inheritedRules.data.ward, inheritedRules.data.adultDefaults);
  const target = useWardLimitsTarget(ward.ward_id);
  const getActorName = useActorName(ward.hospital_id);
  const lastChangeColumn = {
    label: t("rules.last_change"),
    cell: ({ changed }: VitalRule) =>
      changed && (
        <span className={classes.hint}>
          {getActorName({ id: changed.by, role: null })}, {formatDateTime(changed.at, zone)}
        </span>
      ),
  };
  const closeDialog = () => setDialog(null);
  return (
    <Card title={t("rules.limits_of", { ward: ward.name })}>
      <QueryBoundary query={{ ...inheritedRules, data: rules }}>
        {(shown) => (
          <>
            <p className={classes.note}>
              {translateCode("rules.band", ageBand)} ·{" "}
              {t("rules.marked", {
                n: shown.filter(({ layers: from }) => RULE_FIELDS.some((field) => from[field] !== "default")).length,
                total: shown.length,
              })}
            </p>
            <LimitsTable
              rules={shown}
              extraColumn={lastChangeColumn}
              onChange={(rule) => setDialog({ rule, kind: "change" })}
              onReset={(rule) => setDialog({ rule, kind: "take_back" })}
            />
          </>
        )}
      </QueryBoundary>
      {dialog?.kind === "change" && <LimitsEditor rule={dialog.rule} target={target} zone={zone} onClose={closeDialog} />}
      {dialog?.kind === "take_back" && <ResetLimitsDialog rule={dialog.rule} target={target} zone={zone} onClose={closeDialog} />}
    </Card>
  );
}

function useWardLimitsTarget(wardId: string): LimitsTarget {
  const client = useQueryClient();
  return {
    preview: null,
    save: ({ code, version }, limits) => saveWardRule(wardId, code, version, limits),
    remove: ({ code, version }) => removeWardRule(wardId, code, version ?? 0),
    reload: () => client.invalidateQueries({ queryKey: ["rules"] }),
  };
}
