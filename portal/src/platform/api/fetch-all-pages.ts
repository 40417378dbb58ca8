// Fetches whole lists page by page, up to a limit, for selects and counts.
type ListPage<Item> = { items: Item[]; pagination: { total: number; next_cursor: string | null } };

/** @returns the items, and whether the list is complete */
export async function fetchAllPages<Item>(
  fetchPage: (cursor: string | null) => Promise<ListPage<Item>>,
  maxPages = 5,
): Promise<{ items: Item[]; complete: boolean }> {
  const items: Item[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < maxPages; page++) {
    const result: ListPage<Item> = await fetchPage(cursor);
    items.push(...result.items);
    cursor = result.pagination.next_cursor;
    if (cursor === null) return { items, complete: true };
  }
  return { items, complete: false };
}
