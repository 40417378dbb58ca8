// Lists whose pages may be short or empty before their end, as of the audit log: what was searched, and "Older entries".
import { Button } from "@mantine/core";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "../messages/translate.ts";
import layout from "./layout.module.css";
import { type Goal, needsAnotherPage } from "./older-pages.ts";
import { EmptyState, RefetchError } from "./query-states.tsx";

/** Pages that are read without another click. */
const MAX_AUTO_PAGES = 5;
const MIN_SHOWN = 10;

type OpenEndedQuery = Pick<
  UseInfiniteQueryResult<InfiniteData<unknown>>,
  "data" | "error" | "hasNextPage" | "isFetchingNextPage" | "isFetchNextPageError" | "fetchNextPage"
>;

/**
 * Reads on until enough is shown. The caller is mounted anew for other filters.
 * @param shown entries of the pages so far that are shown
 */
export function useOlderEntries(query: OpenEndedQuery, shown: number) {
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  const pages = query.data?.pages.length ?? 0;
  const [goal, setGoal] = useState<Goal>({ pages: MAX_AUTO_PAGES, shown: MIN_SHOWN });
  const isDue = hasNextPage && !isFetchingNextPage && !isFetchNextPageError && needsAnotherPage(pages, shown, goal);
  useEffect(() => {
    if (isDue) void fetchNextPage();
  }, [isDue, fetchNextPage]);
  const readOlder = () => {
    setGoal({ pages: pages + MAX_AUTO_PAGES, shown: shown + 1 });
    void fetchNextPage();
  };
  return { isReading: isFetchingNextPage || isDue, readOlder };
}

type OlderEntriesProps = {
  query: OpenEndedQuery;
  older: ReturnType<typeof useOlderEntries>;
  shown: number;
  /** What is said when nothing is shown and the whole list was read. */
  empty: string;
};

/** The end of the list as far as it was read. */
export function OlderEntries({ query, older: { isReading, readOlder }, shown, empty }: OlderEntriesProps) {
  const t = useTranslation();
  return (
    <>
      {shown === 0 && !isReading && <EmptyState>{query.hasNextPage ? t("common.none_so_far") : empty}</EmptyState>}
      {shown > 0 && (
        <p className={layout.count} role="status">
          {t(query.hasNextPage ? "common.shown_so_far" : "common.shown_all", { n: shown })}
        </p>
      )}
      <RefetchError error={query.error} />
      {query.hasNextPage && (
        <Button mt="sm" variant="default" loading={isReading} onClick={readOlder}>
          {t("common.older")}
        </Button>
      )}
    </>
  );
}
