// What a machine measured, with names, values and units; what cannot be right is struck through and says so.
import { number } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import type { Kind } from "./kinds.ts";
import { type Reading, readingsOf } from "./metrics.ts";
import classes from "./report.module.css";

/** Two narrow columns, on a phone too. */
export function MetricsTable({ kind, metrics }: { kind: Kind; metrics: Record<string, unknown> }) {
  const say = useSay();
  return (
    <table className={classes.metrics} aria-label={say("reports.measurements")}>
      <thead className="visually-hidden">
        <tr>
          <th scope="col">{say("reports.measurement")}</th>
          <th scope="col">{say("reports.value")}</th>
        </tr>
      </thead>
      <tbody>
        {readingsOf(kind, metrics).map((reading) => (
          <tr key={reading.key}>
            <th scope="row">{sayOf("metric", reading.key)}</th>
            <td>
              <Value reading={reading} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Value({ reading: { value, unit, valid } }: { reading: Reading }) {
  const say = useSay();
  const shown = `${typeof value === "number" ? number(value) : value}${withSpace(unit)}`;
  if (valid) return <strong>{shown}</strong>;
  return (
    <>
      <del>{shown}</del> <strong className={classes.invalid}>{say("reports.invalid")}</strong>
    </>
  );
}

const withSpace = (unit: string | null) => (unit === null ? "" : unit === "°" ? unit : ` ${unit}`);
