// Merges paged lists, each newest first, into one.

export type TimelineItem = { at: string; key: string };
export type TimelineSource<Item extends TimelineItem> = { items: readonly Item[]; hasMore: boolean };

/**
 * Newest first. Items older than the end of an incomplete list are held back: unread items may belong before them.
 */
export function mergeTimelines<Item extends TimelineItem>(sources: readonly TimelineSource<Item>[]): Item[] {
  const oldestRead = sources.flatMap(({ items, hasMore }) => (hasMore ? [items.at(-1)?.at ?? ""] : []));
  const horizon = oldestRead.sort().at(-1) ?? "";
  return sources
    .flatMap(({ items }) => items)
    .filter(({ at }) => at >= horizon)
    .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : a.key < b.key ? -1 : 1));
}
