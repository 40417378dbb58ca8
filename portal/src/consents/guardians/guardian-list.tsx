// A list of guardianships by page.
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import layout from "../../platform/design/layout.module.css";
import { QueryBoundary, RefetchError } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import classes from "../consents.module.css";
import type { Guardianship, useOwnGuardianships } from "./api.ts";

type GuardianListProps = {
  query: ReturnType<typeof useOwnGuardianships>;
  empty: string;
  children: (guardianship: Guardianship) => ReactNode;
};

export function GuardianList({ query, empty, children }: GuardianListProps) {
  const t = useTranslation();
  return (
    <QueryBoundary query={query}>
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items);
        return (
          <>
            {items.length === 0 && <p>{empty}</p>}
            <ul className={layout.bare}>
              {items.map((one) => (
                <li key={one.guardianship_id} className={classes.item}>
                  {children(one)}
                </li>
              ))}
            </ul>
            <RefetchError error={query.error} />
            {query.hasNextPage && (
              <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                {t("common.show_more")}
              </Button>
            )}
          </>
        );
      }}
    </QueryBoundary>
  );
}
