// Table that turns into cards on a phone, with a total and "Show more".
import { Button } from "@mantine/core";
import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "../messages/translate.ts";
import classes from "./data-table.module.css";
import layout from "./layout.module.css";
import { EmptyState, LoadError, Loading, RefetchError } from "./query-states.tsx";

export type Column<Item> = { label: string; cell: (item: Item) => ReactNode; align?: "end" };
export type CursorPage<Item> = {
  items: Item[];
  pagination: { total: number; total_is_exact: boolean; next_cursor: string | null };
};

type TableProps<Item> = {
  label: string;
  columns: readonly Column<Item>[];
  items: readonly Item[];
  rowKey: (item: Item) => string;
};

/** Table of rows that are already loaded. */
export function Table<Item>({ label, columns, items, rowKey }: TableProps<Item>) {
  return (
    <table className={classes.table} aria-label={label}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.label} scope="col" data-align={column.align}>
              {column.label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={rowKey(item)}>
            {columns.map((column) => (
              <td key={column.label} data-label={column.label} data-align={column.align}>
                {column.cell(item)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

type DataTableProps<Item> = Omit<TableProps<Item>, "items"> & {
  query: UseInfiniteQueryResult<{ pages: CursorPage<Item>[] }>;
  /** Whether filters are set: decides between "no results" and "no items". */
  isFiltered?: boolean;
  empty?: ReactNode;
};

/** Table of an API list, page by page behind "Show more". */
export function DataTable<Item>({ query, isFiltered = false, empty, ...table }: DataTableProps<Item>) {
  const t = useTranslation();
  if (!query.data) return query.error ? <LoadError error={query.error} retry={() => void query.refetch()} /> : <Loading />;
  const items = query.data.pages.flatMap((page) => page.items);
  const pagination = query.data.pages[0]?.pagination;
  if (items.length === 0) return <EmptyState>{isFiltered ? t("common.nothing_found") : empty}</EmptyState>;
  return (
    <div className={classes.list}>
      <p className={layout.count} role="status">
        {t(pagination?.total_is_exact === false ? "common.count_at_least" : "common.count", {
          n: items.length,
          total: Math.max(pagination?.total ?? 0, items.length),
        })}
      </p>
      <Table {...table} items={items} />
      <RefetchError error={query.error} />
      {query.hasNextPage && (
        <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("common.show_more")}
        </Button>
      )}
    </div>
  );
}

/** Options that every infinite query over an API list needs besides its key and fetch function. */
export const CURSOR_PAGINATION = {
  initialPageParam: null as string | null,
  getNextPageParam: (lastPage: { pagination: { next_cursor: string | null } }) => lastPage.pagination.next_cursor,
};
