// Where the default limits come from, as the API says it.
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import type { DefaultRule } from "./api.ts";
import classes from "./rules.module.css";

export function DefaultSources({ defaults }: { defaults: readonly DefaultRule[] }) {
  const t = useTranslation();
  return (
    <details className={classes.sources}>
      <summary>{t("rules.sources")}</summary>
      {/* Titles of guidelines and papers, in the language they were written in. */}
      <dl>
        {defaults.map(({ code, name, source }) => (
          <div key={code}>
            <dt>{translateCode("vital", name)}</dt>
            <dd lang="en">{source}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
