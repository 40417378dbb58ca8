// What the connection and its transports know of each other, and the access to the service that they share.
import { toProblem } from "../../platform/api/problem.ts";
import type { PolledState } from "./patient-store.ts";
import type { TransportKind } from "./transport-choice.ts";

/** Scope to watch: all patients of the caller's hospital, or one patient. */
export type WatchTarget = { patient_id?: string; hospital_id?: string };

/** `since`: the last `seq` of this view, or null. */
export type TransportRequest = { target: WatchTarget; since: number | null };

/** `stopped`: opening again is of no use. `unreachable`: nothing answers, which says nothing about this transport. */
export type EndReason = "stopped" | "unreachable" | "failed";

export type TransportEvents = {
  /** Something arrived, or may be expected from now on: silence counts from here. */
  onAlive: () => void;
  /** One frame, as JSON. */
  onFrame: (text: string) => void;
  onPolled: (state: PolledState) => void;
  /** Once; never after `close`. @param waitMs how long the service asks to wait */
  onEnd: (reason: EndReason, waitMs?: number) => void;
};

export type Transport = {
  kind: TransportKind;
  /** Silence after which it counts as lost, whatever the browser reports, ms. */
  silenceMs: () => number;
  /** Time between two states; null when changes arrive at once. */
  everyMs: () => number | null;
  /** Called every second. */
  tick: (now: number) => void;
  /** Confirms frames. @param beat the number of a beat, which only a client that reads can return */
  acknowledge: (seq: number, beat?: number) => void;
  /** A newer access token of the same session. */
  renew: (token: string) => void;
  close: () => void;
};

/** The service sends or answers something every two seconds. */
export const SILENCE_TIMEOUT_MS = 4_000;
/** Close code of a view whose patients the caller may no longer see. */
export const ACCESS_ENDED = 4403;

export function endReason(error: unknown): EndReason {
  const { status } = toProblem(error);
  if (status === 403 || status === 404) return "stopped";
  // A refusal for the rate says nothing about the transport either.
  return status === 0 || status === 429 ? "unreachable" : "failed";
}

/** How long the service asks to wait before the next attempt, ms. */
export const getRequestedWaitMs = (error: unknown): number => toProblem(error).retryAfterMs ?? 0;

/** Passes events on until the transport ends or is closed. */
export function untilClosed(events: TransportEvents): { events: TransportEvents; isClosed: () => boolean; close: () => void } {
  let isClosed = false;
  const unlessClosed =
    <Args extends unknown[]>(listener: (...args: Args) => void) =>
    (...args: Args) => {
      if (!isClosed) listener(...args);
    };
  return {
    isClosed: () => isClosed,
    close: () => {
      isClosed = true;
    },
    events: {
      onAlive: unlessClosed(events.onAlive),
      onFrame: unlessClosed(events.onFrame),
      onPolled: unlessClosed(events.onPolled),
      onEnd: unlessClosed((reason: EndReason, waitMs?: number) => {
        isClosed = true;
        events.onEnd(reason, waitMs);
      }),
    },
  };
}
