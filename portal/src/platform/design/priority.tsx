// Alarm priority as shape, word and colour, each sufficient alone (modelled on IEC 60601-1-8, no claim of conformity).
import { translateCode, useTranslation } from "../messages/translate.ts";
import type { DisplayPriority } from "./display-priority.ts";
import classes from "./priority.module.css";

export { type DisplayPriority as Priority, displayPriority as shownAs } from "./display-priority.ts";

const SHAPES: Record<DisplayPriority, string> = { high: "▲▲▲", medium: "◆◆", low: "●", technical: "✕" };

/** @param flashing new and unacknowledged: the badge flashes; with reduced motion it has an outline and a text */
export function PriorityBadge({ priority, isFlashing = false }: { priority: DisplayPriority; isFlashing?: boolean }) {
  const t = useTranslation();
  return (
    <span className={`${classes.badge} ${classes.filled}`} data-priority={priority} data-flashing={isFlashing}>
      <span aria-hidden="true" className={classes.shape}>
        {SHAPES[priority]}
      </span>
      {translateCode("priority", priority)}
      {isFlashing && <span className={classes.isNew}>{t("priority.new")}</span>}
    </span>
  );
}
