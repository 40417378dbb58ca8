// Sources of the default limits, from the API.
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import type { DefaultRule } from "./api.ts";
import classes from "./rules.module.css";

export function DefaultSources({ defaults }: { defaults: readonly DefaultRule[] }) {
  const t = useTranslation();
  return (
    <details className={classes.sources}>
      <summary>{t("rules.sources")}</summary>
      {/* Titles of guidelines and papers in their original language. */}
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
