// Document requests to and from a hospital, by state, newest first.
import { NativeSelect } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { type Column, DataTable } from "../platform/design/data-table.tsx";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Page } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import {
  DIRECTIONS,
  type Direction,
  type DocumentRequest,
  REQUEST_STATES,
  type RequestState,
  useRequests,
  useRequestTotal,
} from "./api.ts";
import { askedName, RequestBadge, typeName } from "./request-facts.tsx";
import classes from "./requests.module.css";

/** A hospital does not learn of what the person has not granted. */
const UNSEEN: readonly RequestState[] = ["requested", "denied"];
const statesOf = (direction: Direction) =>
  direction === "out" ? REQUEST_STATES : REQUEST_STATES.filter((state) => !UNSEEN.includes(state));

/** Unknown filters are ignored. */
function useFilters() {
  const search = useSearch({ from: "/signed-in/requests" });
  const direction = DIRECTIONS.find((one) => one === search.direction) ?? "in";
  return { direction, status: statesOf(direction).find((one) => one === search.status) };
}

export function RequestsPage() {
  const t = useTranslation();
  const navigate = useNavigate({ from: "/requests" });
  const { direction, status } = useFilters();
  return (
    <Page title={t("requests.title")}>
      <p className={layout.muted}>{t("requests.text")}</p>
      <nav className={classes.tabs} aria-label={t("requests.directions")}>
        {DIRECTIONS.map((one) => (
          <Tab key={one} direction={one} isCurrent={one === direction} status={status} />
        ))}
      </nav>
      <search className={layout.filters} aria-label={t("common.filters")}>
        <NativeSelect
          label={t("requests.status")}
          value={status ?? ""}
          onChange={({ currentTarget: { value } }) =>
            void navigate({ search: { direction, ...(value && { status: value }) }, replace: true })
          }
          data={[
            { value: "", label: t("common.all") },
            ...statesOf(direction).map((value) => ({ value, label: t(`requests.status.${value}`) })),
          ]}
        />
      </search>
      <RequestTable key={direction} direction={direction} status={status} />
    </Page>
  );
}

type FilterProps = { direction: Direction; status: RequestState | undefined };

/** The number is of the chosen state, where the direction has it; unknown until it was read. */
function Tab({ direction, isCurrent, status }: FilterProps & { isCurrent: boolean }) {
  const t = useTranslation();
  const kept = status && statesOf(direction).includes(status) ? status : undefined;
  const { data } = useRequestTotal({ direction, ...(kept && { status: kept }) });
  const count = data && (data.total_is_exact ? String(data.total) : t("requests.at_least", { n: data.total }));
  return (
    <Link
      to="/requests"
      search={{ direction, ...(kept && { status: kept }) }}
      replace
      aria-current={isCurrent ? "page" : undefined}
    >
      {t(`requests.direction.${direction}`)} <span className={classes.count}>{count ?? "—"}</span>
    </Link>
  );
}

function RequestTable({ direction, status }: FilterProps) {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const query = useRequests({ direction, ...(status && { status }) });
  const columns: Column<DocumentRequest>[] = [
    {
      label: t("requests.asked_at"),
      cell: ({ created_at }) => <time dateTime={created_at}>{formatDateTime(created_at, zone)}</time>,
    },
    direction === "in"
      ? { label: t("requests.from"), cell: ({ requesting_hospital }) => requesting_hospital.name }
      : { label: t("requests.to"), cell: (request) => askedName(request, t) },
    { label: t("requests.type"), cell: (request) => typeName(request, t) },
    {
      label: t("requests.description"),
      cell: ({ description }) => <span className={classes.words}>{description ?? t("requests.unreadable")}</span>,
    },
    { label: t("requests.status"), cell: (request) => <RequestBadge request={request} /> },
    {
      label: t("requests.one"),
      cell: ({ document_request_id: requestId, created_at }) => (
        <Link
          to="/requests/$requestId"
          params={{ requestId }}
          aria-label={t("requests.open_of", { at: formatDateTime(created_at, zone) })}
        >
          {t("requests.open")}
        </Link>
      ),
    },
  ];
  return (
    <DataTable
      label={t("requests.title")}
      query={query}
      columns={columns}
      rowKey={({ document_request_id }) => document_request_id}
      isFiltered={status !== undefined}
      empty={t(`requests.none.${direction}`)}
    />
  );
}
