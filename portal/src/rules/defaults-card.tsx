// The limits that hold until somebody sets other ones, with where they come from.
import { Table } from "../design/data-table.tsx";
import { Card } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { sayOf, useSay } from "../messages/index.ts";
import type { AgeBand, Default } from "./api.ts";
import { BOUNDS } from "./limits.ts";
import classes from "./rules.module.css";
import { useDefaults } from "./use-beneath.ts";
import { fieldText, valueText } from "./words.ts";

export function DefaultsCard({ band }: { band: AgeBand }) {
  const say = useSay();
  const query = useDefaults(band);
  const columns = [
    { label: say("rules.vital"), cell: ({ name }: Default) => <strong className={classes.whole}>{sayOf("vital", name)}</strong> },
    ...BOUNDS.map((field) => ({
      label: fieldText(field),
      cell: (preset: Default) => <span className={classes.whole}>{valueText(preset, field, preset.limits[field])}</span>,
    })),
    // Titles of guidelines and papers, in the language they were written in.
    { label: say("rules.source"), cell: ({ source }: Default) => <span lang="en">{source}</span> },
  ];
  return (
    <Card title={`${say("rules.defaults")}: ${sayOf("rules.band", band)}`}>
      <p className={classes.note}>{say("rules.defaults_text")}</p>
      <Query query={query}>
        {(defaults) => <Table label={say("rules.defaults")} columns={columns} items={defaults} keyOf={({ code }) => code} />}
      </Query>
    </Card>
  );
}
