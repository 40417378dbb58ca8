// When a list whose pages may be short reads another page by itself.

/** Pages to read, and entries to show, before a list waits for its reader. */
export type Goal = { pages: number; shown: number };

/** Whether another page is read by itself: few entries are shown, and few pages were read for them. */
export const needsAnotherPage = (pages: number, shown: number, goal: Goal): boolean =>
  pages > 0 && pages < goal.pages && shown < goal.shown;
