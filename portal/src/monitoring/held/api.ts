// API calls for held samples: the list, one entry with its samples, and filing or discarding.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import type { historyRoutes } from "../../../../src/monitoring/history/history-routes.ts";
import type { heldRoutes } from "../../../../src/monitoring/history/quarantine-routes.ts";
import { HELD_STATES } from "../../../../src/platform/db/vocabulary.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../../platform/api/client.ts";
import { fetchAllPages } from "../../platform/api/fetch-all-pages.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { CURSOR_PAGINATION } from "../../platform/design/data-table.tsx";

const { quarantine } = hc<typeof historyRoutes>(API_BASE, CLIENT_OPTIONS).observations;
const resolutions = hc<typeof heldRoutes>(API_BASE, CLIENT_OPTIONS).observations.quarantine;

export type HeldState = (typeof HELD_STATES)[number];
export const isHeldState = (text: string | undefined): text is HeldState => HELD_STATES.some((state) => state === text);

type HeldFilter = { state?: HeldState; device_id?: string };
const listHeld = (filter: HeldFilter, limit: string, cursor: string | null) =>
  readPage(quarantine.$get({ query: { ...filter, limit, ...(cursor && { cursor }) } }));
export type HeldEntry = Awaited<ReturnType<typeof listHeld>>["items"][number];

export const useHeld = (filter: HeldFilter) =>
  useInfiniteQuery({
    queryKey: ["held", "list", filter],
    queryFn: ({ pageParam }) => listHeld(filter, "25", pageParam),
    ...CURSOR_PAGINATION,
    refetchInterval: 60_000,
  });

/** The entries of a device that wait, newest first: at most 500. @returns whether these are all */
export const listWaiting = (device_id: string) =>
  fetchAllPages((cursor) => listHeld({ state: "held", device_id }, "100", cursor));

export const useHeldSamples = (held_id: string) =>
  useQuery({
    queryKey: ["held", "one", held_id],
    queryFn: () => readData(quarantine[":held_id"].$get({ param: { held_id } })),
    gcTime: 0,
  });

type Named = { device_id: string; held_ids: string[]; reason: string };
/** @throws Problem */
export const fileHeld = (json: Named & { patient_id: string }) => readData(resolutions.file.$post({ json }));
/** @throws Problem */
export const discardHeld = (json: Named) => readData(resolutions.discard.$post({ json }));
export type Resolution = Awaited<ReturnType<typeof fileHeld>>["results"][number];

/** After a change, and after one whose response was lost. */
export const invalidateHeld = () =>
  Promise.all([
    queryClient.invalidateQueries({ queryKey: ["held"] }),
    queryClient.invalidateQueries({ queryKey: ["admin", "needs", "held"] }),
    queryClient.invalidateQueries({ queryKey: ["vitals"] }),
  ]);
