// Default limits with their sources.

import { BOUND_FIELDS } from "../../../../src/monitoring/alarm-rules/no-limits.ts";
import type { AgeBand } from "../../../../src/monitoring/vitals/model.ts";
import { Table } from "../../platform/design/data-table.tsx";
import { Card } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import type { DefaultRule } from "./api.ts";
import { fieldLabel, formatRuleValue } from "./rule-text.ts";
import classes from "./rules.module.css";
import { useDefaults } from "./use-inherited-rules.ts";

export function DefaultsCard({ band }: { band: AgeBand }) {
  const t = useTranslation();
  const query = useDefaults(band);
  const columns = [
    {
      label: t("rules.vital"),
      cell: ({ name }: DefaultRule) => <strong className={classes.whole}>{translateCode("vital", name)}</strong>,
    },
    ...BOUND_FIELDS.map((field) => ({
      label: fieldLabel(field),
      cell: (preset: DefaultRule) => (
        <span className={classes.whole}>{formatRuleValue(preset, field, preset.limits[field])}</span>
      ),
    })),
    // Titles of guidelines and papers in their original language.
    { label: t("rules.source"), cell: ({ source }: DefaultRule) => <span lang="en">{source}</span> },
  ];
  return (
    <Card title={`${t("rules.defaults")}: ${translateCode("rules.band", band)}`}>
      <p className={classes.note}>{t("rules.defaults_text")}</p>
      <QueryBoundary query={query}>
        {(defaults) => <Table label={t("rules.defaults")} columns={columns} items={defaults} rowKey={({ code }) => code} />}
      </QueryBoundary>
    </Card>
  );
}
