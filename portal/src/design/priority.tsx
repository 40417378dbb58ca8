// How urgent an alarm is: a shape, a word and a colour, each enough alone (modelled on IEC 60601-1-8, without claiming it).
import { sayOf, useSay } from "../messages/index.ts";
import classes from "./priority.module.css";
import type { Priority } from "./shown-as.ts";

export { type Priority, shownAs } from "./shown-as.ts";

const SHAPES: Record<Priority, string> = { high: "▲▲▲", medium: "◆◆", low: "●", technical: "✕" };

/** @param flashing new and not seen: the badge flashes, or with reduced motion is outlined and says so */
export function PriorityBadge({ priority, flashing = false }: { priority: Priority; flashing?: boolean }) {
  const say = useSay();
  return (
    <span className={`${classes.badge} ${classes.filled}`} data-priority={priority} data-flashing={flashing}>
      <span aria-hidden="true" className={classes.shape}>
        {SHAPES[priority]}
      </span>
      {sayOf("priority", priority)}
      {flashing && <span className={classes.isNew}>{say("priority.new")}</span>}
    </span>
  );
}
