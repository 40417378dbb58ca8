// What other limits would have meant in the last day, as the server counted it.
import { dateTime, number } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import type { Preview } from "./api.ts";
import classes from "./rules.module.css";
import { consequence } from "./words.ts";

const PRIORITIES = ["high", "medium", "low"] as const;

export function PreviewCounts({ preview, zone }: { preview: Preview; zone: string | undefined }) {
  const say = useSay();
  const { before, after, samples } = preview;
  if (samples === 0) return <p className={classes.consequence}>{say("rules.no_samples")}</p>;
  return (
    <>
      <p className={classes.consequence}>{consequence(preview)}</p>
      <table className={classes.counts}>
        <caption>{say("rules.preview")}</caption>
        <thead>
          <tr>
            <th scope="col">{say("rules.priority")}</th>
            <th scope="col">{say("rules.now")}</th>
            <th scope="col">{say("rules.then")}</th>
          </tr>
        </thead>
        <tbody>
          {PRIORITIES.map((priority) => (
            <tr key={priority}>
              <th scope="row">{sayOf("priority", priority)}</th>
              <td>{before[priority]}</td>
              <td>{after[priority]}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">{say("rules.total")}</th>
            <td>{before.alarms}</td>
            <td>{after.alarms}</td>
          </tr>
        </tbody>
      </table>
      <p className={classes.note}>
        {say("rules.samples", { n: number(samples), from: dateTime(preview.from, zone), to: dateTime(preview.to, zone) })}
      </p>
    </>
  );
}
