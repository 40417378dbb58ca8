// Changes while the browser has no network: they are not offered, and why stands beside the button.
import { type MouseEvent, useId, useSyncExternalStore } from "react";
import { useSay } from "../messages/index.ts";
import classes from "./offline.module.css";

function subscribe(listener: () => void): () => void {
  addEventListener("online", listener);
  addEventListener("offline", listener);
  return () => {
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
  };
}
/** Browsers are sure of being offline alone: "online" promises nothing. */
const isOffline = () => !navigator.onLine;
const useOffline = (): boolean => useSyncExternalStore(subscribe, isOffline);

/**
 * `held`: for each button that changes something, after its own `onClick`; it stays in the order of the keyboard, where the reason
 * is heard. `reason`: to be shown beside them, once.
 * @param changes false where the button only leads on
 */
export function useHeld(changes = true) {
  const id = useId();
  const offline = useOffline() && changes;
  return {
    offline,
    held: offline ? { "aria-disabled": true, "aria-describedby": id, "data-disabled": true, onClick: doNothing } : {},
    reason: offline ? <Reason id={id} /> : null,
  };
}

export type Hold = ReturnType<typeof useHeld>;

const doNothing = (event: MouseEvent) => event.preventDefault();

function Reason({ id }: { id: string }) {
  const say = useSay();
  return (
    <p id={id} className={classes.reason}>
      {say("common.offline")}
    </p>
  );
}
