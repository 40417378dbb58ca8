// Earlier device assignments of a patient, from the audit log, the only source that lists them by patient.
import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CURSOR_PAGINATION, Table } from "../platform/design/data-table.tsx";
import { formatDateTime } from "../platform/design/format.ts";
import { EmptyState, QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { type BindingEvent, listBindingEvents, readDevice } from "./api.ts";

export function EarlierBindings({ patientId, zone }: { patientId: string; zone: string | undefined }) {
  const t = useTranslation();
  const eventQueries = [useBindingEvents(patientId, "device.assign"), useBindingEvents(patientId, "device.unassign")];
  const error = eventQueries.find((eventQuery) => eventQuery.error)?.error ?? null;
  const isPending = eventQueries.some((eventQuery) => eventQuery.isPending);
  const events = eventQueries
    .flatMap(({ data }) => data?.pages.flatMap(({ items }) => items) ?? [])
    .sort((a, b) => b.seq - a.seq);
  const unfinished = eventQueries.filter(({ hasNextPage }) => hasNextPage);
  const columns = [
    { label: t("devices.when"), cell: ({ recorded }: BindingEvent) => formatDateTime(recorded, zone) },
    { label: t("devices.device"), cell: ({ entity }: BindingEvent) => <DeviceLink deviceId={entity?.id ?? ""} /> },
    {
      label: t("devices.what"),
      cell: ({ event }: BindingEvent) => t(event === "device.assign" ? "devices.event_bound" : "devices.event_unbound"),
    },
  ];
  return (
    <QueryBoundary
      query={{
        data: isPending || error ? undefined : events,
        error,
        isPending,
        refetch: () => Promise.all(eventQueries.map((eventQuery) => eventQuery.refetch())),
      }}
    >
      {(shownEvents) => (
        <>
          {shownEvents.length === 0 ? (
            <EmptyState>{t("devices.none_before")}</EmptyState>
          ) : (
            <Table label={t("devices.before")} columns={columns} items={shownEvents} rowKey={({ seq }) => String(seq)} />
          )}
          {unfinished.length > 0 && (
            <Button
              variant="default"
              mt="sm"
              onClick={() => void Promise.all(unfinished.map((eventQuery) => eventQuery.fetchNextPage()))}
            >
              {t("common.show_more")}
            </Button>
          )}
        </>
      )}
    </QueryBoundary>
  );
}

const useBindingEvents = (patientId: string, event: "device.assign" | "device.unassign") =>
  useInfiniteQuery({
    queryKey: ["devices", "trail", patientId, event],
    queryFn: ({ pageParam }) => listBindingEvents(patientId, event, pageParam),
    ...CURSOR_PAGINATION,
  });

function DeviceLink({ deviceId }: { deviceId: string }) {
  const t = useTranslation();
  const { data } = useQuery({ queryKey: ["devices", "one", deviceId], queryFn: () => readDevice(deviceId), staleTime: 60_000 });
  return (
    <Link to="/devices/$deviceId" params={{ deviceId }}>
      {data?.data.name ?? t("devices.device")}
    </Link>
  );
}
