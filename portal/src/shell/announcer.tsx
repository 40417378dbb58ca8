// Tells screen readers what happened: one polite region, and one that interrupts, for new high alarms alone.
import { useSyncExternalStore } from "react";

const SPACING_MS = 3_000;

type Said = { polite: string; assertive: string };
let said: Said = { polite: "", assertive: "" };
let waiting: string[] = [];
let lastAt = Number.NEGATIVE_INFINITY;
const listeners = new Set<() => void>();

function become(next: Said): void {
  said = next;
  for (const listener of listeners) listener();
}

export const announce = (text: string) => become({ ...said, polite: text });

/** What waits is said together, at most every three seconds. */
export function interrupt(text: string): void {
  waiting.push(text);
  if (waiting.length > 1) return;
  setTimeout(
    () => {
      lastAt = performance.now();
      become({ ...said, assertive: waiting.join(". ") });
      waiting = [];
    },
    Math.max(0, lastAt + SPACING_MS - performance.now()),
  );
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Announcer() {
  const { polite, assertive } = useSyncExternalStore(subscribe, () => said);
  return (
    <>
      <div className="visually-hidden" aria-live="polite">
        {polite}
      </div>
      <div className="visually-hidden" aria-live="assertive">
        {assertive}
      </div>
    </>
  );
}
