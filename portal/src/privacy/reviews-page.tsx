// The reviews of a hospital's privacy officers, flagged ones first.
import { NativeSelect } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { type Column, DataTable } from "../platform/design/data-table.tsx";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card, Page } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { type ListedReview, useReviews } from "./api.ts";
import { SubjectName } from "./subject-name.tsx";

const STATUSES = ["open", "closed"] as const;

export function ReviewsPage() {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const search = useSearch({ from: "/signed-in/privacy" });
  const navigate = useNavigate({ from: "/privacy" });
  const status = STATUSES.find((one) => one === search.status) ?? "open";
  const query = useReviews(status);
  const columns: Column<ListedReview>[] = [
    { label: t("privacy.opened"), cell: ({ opened_at }) => formatDateTime(opened_at, zone) },
    {
      label: t("privacy.kind"),
      cell: ({ kind, is_flagged }) => (
        <>
          {t(`privacy.kind.${kind}`)}
          {is_flagged && <strong> · {t("privacy.flagged")}</strong>}
        </>
      ),
    },
    { label: t("privacy.subject"), cell: (review) => <SubjectName review={review} /> },
    {
      label: t("privacy.status"),
      cell: ({ outcome, status: at }) => (outcome === null ? t(`privacy.status.${at}`) : t(`privacy.outcome.${outcome}`)),
    },
    {
      label: t("privacy.review"),
      cell: ({ review_id }) => (
        <Link to="/privacy/$reviewId" params={{ reviewId: review_id }}>
          {t("privacy.open_review")}
        </Link>
      ),
    },
  ];
  return (
    <Page title={t("nav.privacy")}>
      <p>{t("privacy.reviews_text")}</p>
      <Card>
        <div className={layout.filters}>
          <NativeSelect
            label={t("privacy.status")}
            value={status}
            onChange={({ target }) => void navigate({ search: { status: target.value }, replace: true })}
            data={STATUSES.map((value) => ({ value, label: t(`privacy.status.${value}`) }))}
          />
        </div>
        <DataTable
          label={t("nav.privacy")}
          columns={columns}
          query={query}
          rowKey={({ review_id }) => review_id}
          empty={t("privacy.none")}
        />
      </Card>
    </Page>
  );
}
