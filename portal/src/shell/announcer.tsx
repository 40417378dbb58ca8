// Screen reader announcements: one polite region and one assertive region for new high-priority alarms.
import { useSyncExternalStore } from "react";

const SPACING_MS = 3_000;

type Announcements = { polite: string; assertive: string };
let announcements: Announcements = { polite: "", assertive: "" };
let queuedTexts: string[] = [];
let lastUrgentAt = Number.NEGATIVE_INFINITY;
const listeners = new Set<() => void>();

function setAnnouncements(next: Announcements): void {
  announcements = next;
  for (const listener of listeners) listener();
}

export const announce = (text: string) => setAnnouncements({ ...announcements, polite: text });

/** Pending announcements are joined, at most one every three seconds. */
export function announceUrgently(text: string): void {
  queuedTexts.push(text);
  if (queuedTexts.length > 1) return;
  setTimeout(
    () => {
      lastUrgentAt = performance.now();
      setAnnouncements({ ...announcements, assertive: queuedTexts.join(". ") });
      queuedTexts = [];
    },
    Math.max(0, lastUrgentAt + SPACING_MS - performance.now()),
  );
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Announcer() {
  const { polite, assertive } = useSyncExternalStore(subscribe, () => announcements);
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
