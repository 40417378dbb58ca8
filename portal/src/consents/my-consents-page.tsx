// A person's consents: those that wait for an answer, those given, and those that have ended.
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { LinkButton } from "../platform/design/link-button.tsx";
import { OlderEntries, useOlderEntries } from "../platform/design/open-ended-list.tsx";
import { Card, FoldedCard, Page } from "../platform/design/page.tsx";
import { QueryBoundary, RefetchError } from "../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { type Consent, useConsents } from "./api.ts";
import { Codes } from "./codes.tsx";
import { consentTitle, StatusBadge } from "./consent-facts.tsx";
import classes from "./consents.module.css";

export function MyConsentsPage() {
  const t = useTranslation();
  return (
    <Page title={t("consents.mine")} actions={<LinkButton to="/me/consents/share">{t("consents.share")}</LinkButton>}>
      <p className={layout.muted}>{t("consents.mine_text")}</p>
      <Card title={t("consents.waiting")}>
        <RunningConsents status="requested" empty={t("consents.none_waiting")} />
      </Card>
      <Card title={t("consents.given")}>
        <RunningConsents status="granted" empty={t("consents.none_given")} />
      </Card>
      <FoldedCard title={t("consents.codes")}>
        <Codes />
      </FoldedCard>
      <FoldedCard title={t("consents.over")}>
        <EndedConsents />
      </FoldedCard>
    </Page>
  );
}

function RunningConsents({ status, empty }: { status: "requested" | "granted"; empty: string }) {
  const t = useTranslation();
  const query = useConsents({ status });
  return (
    <QueryBoundary query={query}>
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items);
        return (
          <>
            {items.length === 0 ? <p>{empty}</p> : <ConsentList items={items} />}
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

function EndedConsents() {
  const t = useTranslation();
  const query = useConsents({});
  const items = query.data?.pages.flatMap((page) => page.items.filter(isOver)) ?? [];
  const older = useOlderEntries(query, items.length);
  return (
    <QueryBoundary query={query}>
      {() => (
        <>
          <ConsentList items={items} />
          <OlderEntries query={query} older={older} shown={items.length} empty={t("consents.none_over")} />
        </>
      )}
    </QueryBoundary>
  );
}

const isOver = ({ status }: Consent): boolean => status !== "requested" && status !== "granted";

function ConsentList({ items }: { items: readonly Consent[] }) {
  return (
    <ul className={layout.bare}>
      {items.map((consent) => (
        <ConsentItem key={consent.consent_id} consent={consent} />
      ))}
    </ul>
  );
}

function ConsentItem({ consent }: { consent: Consent }) {
  const t = useTranslation();
  const { consent_id: consentId, requested_by_name, purpose, status } = consent;
  return (
    <li className={classes.item}>
      <div className={layout.line}>
        <Link to="/me/consents/$consentId" params={{ consentId }}>
          {consentTitle(consent, t)}
        </Link>
        <StatusBadge consent={consent} />
      </div>
      <p>{[requested_by_name, translateCode("consents.purpose", purpose)].filter(Boolean).join(" · ")}</p>
      <p className={layout.note}>
        {status === "requested"
          ? `${t("consents.answer_until")} ${formatDateTime(consent.answer_until)}`
          : `${t("consents.expires")} ${formatDateTime(consent.expires_at)}`}
      </p>
    </li>
  );
}
