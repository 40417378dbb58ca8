// The time zone of the screen: one for all of its times. Of the hospital that the user acts for, or of the record on the page.
import { useLayoutEffect, useSyncExternalStore } from "react";

const browserZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Without a hospital: the browser's, which the header names. */
let userZone: string | null = null;
/** Of what is on the page, while it is shown; the newest counts. */
let pageZones: readonly { zone: string }[] = [];
const listeners = new Set<() => void>();

export const getScreenZone = (): string => pageZones.at(-1)?.zone ?? userZone ?? browserZone();

function notify(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function setUserZone(zone: string | null): void {
  if (zone === userZone) return;
  userZone = zone;
  notify();
}

export const useScreenZone = (): string => useSyncExternalStore(subscribe, getScreenZone);

/** Shows all times of the screen in this zone while the caller is mounted. @param zone undefined: not known yet */
export function usePageZone(zone: string | undefined): void {
  useLayoutEffect(() => {
    if (zone === undefined) return;
    const entry = { zone };
    pageZones = [...pageZones, entry];
    notify();
    return () => {
      pageZones = pageZones.filter((one) => one !== entry);
      notify();
    };
  }, [zone]);
}
