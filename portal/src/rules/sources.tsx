// Where the default limits come from, as the API says it.
import { sayOf, useSay } from "../messages/index.ts";
import type { Default } from "./api.ts";
import classes from "./rules.module.css";

export function Sources({ defaults }: { defaults: readonly Default[] }) {
  const say = useSay();
  return (
    <details className={classes.sources}>
      <summary>{say("rules.sources")}</summary>
      {/* Titles of guidelines and papers, in the language they were written in. */}
      <dl>
        {defaults.map(({ code, name, source }) => (
          <div key={code}>
            <dt>{sayOf("vital", name)}</dt>
            <dd lang="en">{source}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
