// A person's codes that wait for use, and withdrawing one.
import { Button } from "@mantine/core";
import { useState } from "react";
import { ConfirmDialog } from "../platform/design/confirm-dialog.tsx";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { QueryBoundary, RefetchError } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { type Offer, useOffers, withdrawOffer } from "./api.ts";
import { kindName } from "./consent-facts.tsx";
import classes from "./consents.module.css";

export function Codes() {
  const t = useTranslation();
  const query = useOffers();
  return (
    <QueryBoundary query={query}>
      {({ pages }) => {
        const open = pages.flatMap(({ items }) => items.filter(({ state }) => state === "open"));
        return (
          <>
            {open.length === 0 && <p>{t("consents.no_codes")}</p>}
            <ul className={layout.bare}>
              {open.map((offer) => (
                <CodeItem key={offer.offer_id} offer={offer} />
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

function CodeItem({ offer: { offer_id, kinds, valid_until } }: { offer: Offer }) {
  const t = useTranslation();
  const [isWithdrawing, setIsWithdrawing] = useState(false);
  const until = t("consents.code_until", { until: formatDateTime(valid_until) });
  return (
    <li className={`${classes.item} ${layout.line}`}>
      <span>
        {until} · {kinds.map((kind) => kindName(kind, t)).join(", ")}
      </span>
      <Button variant="default" aria-label={`${t("consents.withdraw")}: ${until}`} onClick={() => setIsWithdrawing(true)}>
        {t("consents.withdraw")}…
      </Button>
      {isWithdrawing && (
        <ConfirmDialog
          title={t("consents.withdraw_title")}
          confirmLabel={t("consents.withdraw")}
          onConfirm={() => withdrawOffer(offer_id)}
          onClose={() => setIsWithdrawing(false)}
        >
          <p>{t("consents.withdraw_text")}</p>
        </ConfirmDialog>
      )}
    </li>
  );
}
