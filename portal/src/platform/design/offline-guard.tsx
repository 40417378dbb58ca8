// Changes while the browser has no network: they are not offered, and why stands beside the button.
import { type MouseEvent, useId, useSyncExternalStore } from "react";
import { useTranslation } from "../messages/translate.ts";
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
const useIsOffline = (): boolean => useSyncExternalStore(subscribe, isOffline);

/**
 * `held`: for each button that changes something, after its own `onClick`; it stays in the order of the keyboard, where the reason
 * is heard. `reason`: to be shown beside them, once.
 * @param isMutation false where the button only leads on
 */
export function useOfflineGuard(isMutation = true) {
  const id = useId();
  const offline = useIsOffline() && isMutation;
  return {
    offline,
    offlineProps: offline
      ? { "aria-disabled": true, "aria-describedby": id, "data-disabled": true, onClick: preventDefault }
      : {},
    offlineNotice: offline ? <OfflineNotice id={id} /> : null,
  };
}

export type OfflineGuard = ReturnType<typeof useOfflineGuard>;

const preventDefault = (event: MouseEvent) => event.preventDefault();

function OfflineNotice({ id }: { id: string }) {
  const t = useTranslation();
  return (
    <p id={id} className={classes.reason}>
      {t("common.offline")}
    </p>
  );
}
