// Lists that are read page by page, each newest first, as one.

export type Happened = { at: string; key: string };
export type Part<Item extends Happened> = { items: readonly Item[]; more: boolean };

/**
 * Newest first. What is older than the end of a list that goes on is left out: something unread may belong before it.
 */
export function together<Item extends Happened>(parts: readonly Part<Item>[]): Item[] {
  const ends = parts.flatMap(({ items, more }) => (more ? [items.at(-1)?.at ?? ""] : []));
  const horizon = ends.sort().at(-1) ?? "";
  return parts
    .flatMap(({ items }) => items)
    .filter(({ at }) => at >= horizon)
    .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : a.key < b.key ? -1 : 1));
}
