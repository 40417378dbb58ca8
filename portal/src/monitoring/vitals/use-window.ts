// Shown and requested time windows of the charts, and navigation between them. A zoom is stored in the URL.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { serverNow } from "../live/server-clock.ts";
import { useConnection, useIsConnectionSettled, useLivePatient, useServerNow } from "../live/use-live.ts";
import {
  type ChartSearch,
  clampWindow,
  isRange,
  parseWindow,
  RANGES,
  type Range,
  shiftWindow,
  type TimeWindow,
  zoomWindow,
} from "./time-window.ts";

export type WindowState = {
  range: Range;
  /** The window on screen. */
  window: TimeWindow;
  /** The window requested from the API; the live view adds newer samples. */
  requested: TimeWindow;
  /** False for a moment on load: the request would be repeated when the live view opens. */
  isReady: boolean;
  /** Whether it follows the current time. */
  isFollowing: boolean;
  /** A zoom that is not requested yet. */
  pending: boolean;
};

export type WindowControls = {
  zoomTo: (window: TimeWindow) => void;
  zoom: (factor: number) => void;
  move: (direction: -1 | 1) => void;
  live: () => void;
  setRange: (range: Range) => void;
};

const DEFAULT_RANGE: Range = "6h";
/** Debounce: several moves in a row send one request. */
const DEBOUNCE_MS = 200;
const LIVE_REFETCH_MS = 5 * 60_000;
const OFFLINE_REFETCH_MS = 60_000;
/** Late samples come in many requests, one after another. */
const BACKFILL_REFETCH_MS = 5_000;
/** Redraw interval: about one pixel. */
const STEPS_PER_WINDOW = 600;

export function useWindow(
  patientId: string,
  search: ChartSearch,
  onSearch: (next: ChartSearch) => void,
): [WindowState, WindowControls] {
  const range = isRange(search.range) ? search.range : DEFAULT_RANGE;
  const { from, to } = search;
  const fixedWindow = useMemo(() => parseWindow({ from, to }), [from, to]);
  const [pending, setPending] = useState<TimeWindow | null>(null);
  const length = RANGES[range];
  const now = useServerNow(Math.max(1_000, length / STEPS_PER_WINDOW));
  const { until: requestedUntil, isReady } = useRequestedUntil(patientId, now);
  const followingWindow = useMemo(() => ({ from: now - length, to: now }), [now, length]);
  const requested = useMemo(
    () => fixedWindow ?? { from: requestedUntil - length, to: requestedUntil },
    [fixedWindow, requestedUntil, length],
  );
  const window = pending ?? fixedWindow ?? followingWindow;

  const latest = useRef({ search, onSearch });
  latest.current = { search, onSearch };
  useEffect(() => {
    if (!pending) return;
    const timer = setTimeout(() => {
      const { search: currentSearch, onSearch: applySearch } = latest.current;
      applySearch({ ...currentSearch, from: new Date(pending.from).toISOString(), to: new Date(pending.to).toISOString() });
      setPending(null);
    }, DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [pending]);

  const follow = (next: ChartSearch) => {
    setPending(null);
    onSearch({ ...next, from: undefined, to: undefined });
  };
  return [
    { range, window, requested, isReady, isFollowing: !pending && !fixedWindow, pending: pending !== null },
    {
      zoomTo: (next) => setPending(clampWindow(next, serverNow())),
      zoom: (factor) => setPending(zoomWindow(window, factor, serverNow())),
      move: (direction) => setPending(shiftWindow(window, direction, serverNow())),
      live: () => follow(search),
      setRange: (next) => follow({ ...search, range: next }),
    },
  ];
}

/** End of the requested window: renewed periodically, after a lost connection, late samples and a clock correction. */
function useRequestedUntil(patientId: string, now: number): { until: number; isReady: boolean } {
  const [{ until: requestedUntil, isReady }, setRequest] = useState(() => ({ until: serverNow(), isReady: false }));
  const setRequestedUntil = useCallback((until: number) => setRequest({ until, isReady: true }), []);
  const isSettled = useIsConnectionSettled();
  useEffect(() => {
    if (isSettled) setRequestedUntil(serverNow());
  }, [isSettled, setRequestedUntil]);
  const { status } = useConnection();
  const patient = useLivePatient(patientId);
  const live = patient !== undefined && status === "live";
  const hasLateSamples = (patient?.backfilledAt ?? 0) > requestedUntil && now - requestedUntil > BACKFILL_REFETCH_MS;
  const isStale =
    hasLateSamples ||
    now - requestedUntil > (live ? LIVE_REFETCH_MS : OFFLINE_REFETCH_MS) ||
    requestedUntil - now > OFFLINE_REFETCH_MS;
  useEffect(() => {
    if (isStale) setRequestedUntil(serverNow());
  }, [isStale, setRequestedUntil]);
  const wasLive = useRef(live);
  useEffect(() => {
    if (live && !wasLive.current && isReady) setRequestedUntil(serverNow());
    wasLive.current = live;
  }, [live, isReady, setRequestedUntil]);
  return { until: requestedUntil, isReady };
}
