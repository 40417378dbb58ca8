// Whole lists, for choices and counts: page after page, up to a bound.
type ListPage<Item> = { items: Item[]; pagination: { total: number; next_cursor: string | null } };

/** @returns the items, and whether they are all there are */
export async function allPages<Item>(
  ask: (cursor: string | null) => Promise<ListPage<Item>>,
  most = 5,
): Promise<{ items: Item[]; complete: boolean }> {
  const items: Item[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < most; page++) {
    const found: ListPage<Item> = await ask(cursor);
    items.push(...found.items);
    cursor = found.pagination.next_cursor;
    if (cursor === null) return { items, complete: true };
  }
  return { items, complete: false };
}
