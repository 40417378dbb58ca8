// Disables changes while the browser is offline and explains why.
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
/** Only "offline" is reliable: browsers report "online" without a working connection. */
const isOffline = () => !navigator.onLine;
const useIsOffline = (): boolean => useSyncExternalStore(subscribe, isOffline);

/**
 * `held`: props for each changing button, after its own `onClick`; the button stays focusable, so that screen readers
 * read the reason. `reason`: to be rendered once near the buttons.
 * @param isMutation false when the button only navigates
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
