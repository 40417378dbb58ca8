// Which devices were bound to a patient and when: from the audit trail, the only place that lists them by patient.
import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { PAGES, Table } from "../design/data-table.tsx";
import { Empty, Query } from "../design/states.tsx";
import { dateTime } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import { type BindingEvent, listBindingEvents, readDevice } from "./api.ts";

export function EarlierBindings({ patientId, zone }: { patientId: string; zone: string | undefined }) {
  const say = useSay();
  const trails = [useTrail(patientId, "device.assign"), useTrail(patientId, "device.unassign")];
  const error = trails.find((trail) => trail.error)?.error ?? null;
  const isPending = trails.some((trail) => trail.isPending);
  const events = trails.flatMap(({ data }) => data?.pages.flatMap(({ items }) => items) ?? []).sort((a, b) => b.seq - a.seq);
  const more = trails.filter(({ hasNextPage }) => hasNextPage);
  const columns = [
    { label: say("devices.when"), cell: ({ recorded }: BindingEvent) => dateTime(recorded, zone) },
    { label: say("devices.device"), cell: ({ entity }: BindingEvent) => <DeviceLink deviceId={entity?.id ?? ""} /> },
    {
      label: say("devices.what"),
      cell: ({ event }: BindingEvent) => say(event === "device.assign" ? "devices.event_bound" : "devices.event_unbound"),
    },
  ];
  return (
    <Query
      query={{
        data: isPending || error ? undefined : events,
        error,
        isPending,
        refetch: () => Promise.all(trails.map((trail) => trail.refetch())),
      }}
    >
      {(shown) => (
        <>
          {shown.length === 0 ? (
            <Empty>{say("devices.none_before")}</Empty>
          ) : (
            <Table label={say("devices.before")} columns={columns} items={shown} keyOf={({ seq }) => String(seq)} />
          )}
          {more.length > 0 && (
            <Button variant="default" mt="sm" onClick={() => void Promise.all(more.map((trail) => trail.fetchNextPage()))}>
              {say("common.show_more")}
            </Button>
          )}
        </>
      )}
    </Query>
  );
}

const useTrail = (patientId: string, event: "device.assign" | "device.unassign") =>
  useInfiniteQuery({
    queryKey: ["devices", "trail", patientId, event],
    queryFn: ({ pageParam }) => listBindingEvents(patientId, event, pageParam),
    ...PAGES,
  });

function DeviceLink({ deviceId }: { deviceId: string }) {
  const say = useSay();
  const { data } = useQuery({ queryKey: ["devices", "one", deviceId], queryFn: () => readDevice(deviceId), staleTime: 60_000 });
  return (
    <Link to="/devices/$deviceId" params={{ deviceId }}>
      {data?.data.name ?? say("devices.device")}
    </Link>
  );
}
