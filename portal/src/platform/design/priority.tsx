// How urgent an alarm is: a shape, a word and a colour, each enough alone (modelled on IEC 60601-1-8, without claiming it).
import { translateCode, useTranslation } from "../messages/translate.ts";
import type { DisplayPriority } from "./display-priority.ts";
import classes from "./priority.module.css";

export { type DisplayPriority as Priority, displayPriority as shownAs } from "./display-priority.ts";

const SHAPES: Record<DisplayPriority, string> = { high: "▲▲▲", medium: "◆◆", low: "●", technical: "✕" };

/** @param flashing new and not seen: the badge flashes, or with reduced motion is outlined and says so */
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
