// The bell in the header: number of unread notifications, and the panel that lists them.
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { subscribeNotificationSignal } from "../monitoring/live/notification-signal.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import { countUnread } from "./api.ts";
import classes from "./bell.module.css";
import { NOTIFICATIONS_KEY, refreshNotifications } from "./refresh.ts";

/** Without a live connection, and for what it missed. */
const REFRESH_MS = 60_000;
/** The header has no room for more digits. */
const MAX_SHOWN = 99;

/** Loaded when it is opened: the words of all notifications are no part of the first page. */
const NotificationPanel = lazy(() =>
  import("./notification-panel.tsx").then((module) => ({ default: module.NotificationPanel })),
);

export function Bell() {
  const t = useTranslation();
  const [isOpen, setIsOpen] = useState(false);
  const { unread_notifications: unread_count } = useMe();
  const { data } = useQuery({
    queryKey: [...NOTIFICATIONS_KEY, "unread"],
    queryFn: countUnread,
    // The profile has just been read, with the number.
    initialData: { unread_count },
    staleTime: REFRESH_MS,
    refetchInterval: REFRESH_MS,
  });
  useEffect(() => subscribeNotificationSignal(() => void refreshNotifications()), []);
  const n = data.unread_count;
  return (
    <>
      <button type="button" className={classes.bell} data-unread={n > 0} onClick={() => setIsOpen(true)}>
        <span aria-hidden="true">✉{n > 0 && ` ${n > MAX_SHOWN ? `${MAX_SHOWN}+` : n}`}</span>
        <span className={classes.hidden}>{n > 0 ? t("notifications.unread", { n }) : t("notifications.title")}</span>
      </button>
      {isOpen && (
        <Suspense>
          <NotificationPanel onClose={() => setIsOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
