// Which stretch of time is shown, which is asked for, and how a person moves through it. The address remembers a zoom.
import { useEffect, useMemo, useRef, useState } from "react";
import { serverNow } from "../live/server-clock.ts";
import { useLink, useLivePatient, useServerNow } from "../live/use-live.ts";
import { fitted, isRange, moved, RANGES, type Range, type Window, windowIn, zoomed } from "./range.ts";

/** The words of the address that charts understand. */
export type ChartSearch = {
  code?: string | undefined;
  range?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  view?: string | undefined;
};

export type Shown = {
  range: Range;
  /** On the screen now. */
  window: Window;
  /** Asked of the API; the live view brings what came since. */
  asked: Window;
  /** Whether it moves with now. */
  follows: boolean;
  /** A zoom that is not asked for yet. */
  pending: boolean;
};

export type Moves = {
  zoomTo: (window: Window) => void;
  zoom: (factor: number) => void;
  move: (direction: -1 | 1) => void;
  live: () => void;
  setRange: (range: Range) => void;
};

const USUAL: Range = "6h";
/** Several moves in a row are one question. */
const SETTLE_MS = 200;
const FOLLOWED_MS = 5 * 60_000;
const UNFOLLOWED_MS = 60_000;
/** A chart moves on by about a pixel. */
const STEPS = 600;

export function useWindow(patientId: string, search: ChartSearch, onSearch: (next: ChartSearch) => void): [Shown, Moves] {
  const range = isRange(search.range) ? search.range : USUAL;
  const { from, to } = search;
  const zoomedTo = useMemo(() => windowIn({ from, to }), [from, to]);
  const [pending, setPending] = useState<Window | null>(null);
  const length = RANGES[range];
  const now = useServerNow(Math.max(1_000, length / STEPS));
  const askedTo = useAskedTo(patientId, now);
  const following = useMemo(() => ({ from: now - length, to: now }), [now, length]);
  const asked = useMemo(() => zoomedTo ?? { from: askedTo - length, to: askedTo }, [zoomedTo, askedTo, length]);
  const window = pending ?? zoomedTo ?? following;

  const latest = useRef({ search, onSearch });
  latest.current = { search, onSearch };
  useEffect(() => {
    if (!pending) return;
    const timer = setTimeout(() => {
      const { search: words, onSearch: say } = latest.current;
      say({ ...words, from: new Date(pending.from).toISOString(), to: new Date(pending.to).toISOString() });
      setPending(null);
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [pending]);

  const follow = (next: ChartSearch) => {
    setPending(null);
    onSearch({ ...next, from: undefined, to: undefined });
  };
  return [
    { range, window, asked, follows: !pending && !zoomedTo, pending: pending !== null },
    {
      zoomTo: (next) => setPending(fitted(next, serverNow())),
      zoom: (factor) => setPending(zoomed(window, factor, serverNow())),
      move: (direction) => setPending(moved(window, direction, serverNow())),
      live: () => follow(search),
      setRange: (next) => follow({ ...search, range: next }),
    },
  ];
}

/** Until when the API was asked: again after a while, after the line was lost, and when the clock turned out to be wrong. */
function useAskedTo(patientId: string, now: number): number {
  const [askedTo, setAskedTo] = useState(serverNow);
  const { status } = useLink();
  const live = useLivePatient(patientId) !== undefined && status === "live";
  const old = now - askedTo > (live ? FOLLOWED_MS : UNFOLLOWED_MS) || askedTo - now > UNFOLLOWED_MS;
  useEffect(() => {
    if (old) setAskedTo(serverNow());
  }, [old]);
  const was = useRef(live);
  useEffect(() => {
    if (live && !was.current) setAskedTo(serverNow());
    was.current = live;
  }, [live]);
  return askedTo;
}
