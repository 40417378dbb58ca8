// Lists that are read page by page, each newest first, as one.

export type TimelineItem = { at: string; key: string };
export type TimelineSource<Item extends TimelineItem> = { items: readonly Item[]; hasMore: boolean };

/**
 * Newest first. What is older than the end of a list that goes on is left out: something unread may belong before it.
 */
export function mergeTimelines<Item extends TimelineItem>(sources: readonly TimelineSource<Item>[]): Item[] {
  const oldestRead = sources.flatMap(({ items, hasMore }) => (hasMore ? [items.at(-1)?.at ?? ""] : []));
  const horizon = oldestRead.sort().at(-1) ?? "";
  return sources
    .flatMap(({ items }) => items)
    .filter(({ at }) => at >= horizon)
    .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : a.key < b.key ? -1 : 1));
}
