// The bell in the header: number of unread notifications, and the panel that lists them.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { textOf } from "../../../src/notifications/text.ts";
import { getLanguage } from "../accounts/session/preferences.ts";
import { isStaff, useMe } from "../accounts/session/use-session.ts";
import { subscribeNotificationSignal } from "../monitoring/live/notification-signal.ts";
import { useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { queryClient } from "../platform/api/query-client.ts";
import { Dialog } from "../platform/design/dialog.tsx";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { ActionError, EmptyState, QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { countUnread, listNotifications, markAllRead, markRead, type Notification } from "./api.ts";
import classes from "./bell.module.css";

/** Without a live connection, and for what it missed. */
const REFRESH_MS = 60_000;
/** The header has no room for more digits. */
const MAX_SHOWN = 99;
const KEY = ["notifications"];
const refresh = () => queryClient.invalidateQueries({ queryKey: KEY });

export function Bell() {
  const t = useTranslation();
  const [isOpen, setIsOpen] = useState(false);
  const { data } = useQuery({ queryKey: [...KEY, "unread"], queryFn: countUnread, refetchInterval: REFRESH_MS });
  useEffect(() => subscribeNotificationSignal(() => void refresh()), []);
  const n = data?.unread_count ?? 0;
  return (
    <>
      <button type="button" className={classes.bell} data-unread={n > 0} onClick={() => setIsOpen(true)}>
        <span aria-hidden="true">✉{n > 0 && ` ${n > MAX_SHOWN ? `${MAX_SHOWN}+` : n}`}</span>
        <span className={classes.hidden}>{n > 0 ? t("notifications.unread", { n }) : t("notifications.title")}</span>
      </button>
      {isOpen && <Panel onClose={() => setIsOpen(false)} />}
    </>
  );
}

function Panel({ onClose }: { onClose: () => void }) {
  const t = useTranslation();
  const query = useQuery({ queryKey: [...KEY, "list"], queryFn: listNotifications });
  const [error, setError] = useState<unknown>(null);
  const run = (work: Promise<unknown>) => void work.then(() => setError(null), setError).finally(refresh);
  return (
    <Dialog title={t("notifications.title")} onClose={onClose} wide>
      {error !== null && <ActionError error={error} />}
      <QueryBoundary query={query}>
        {({ items }) => {
          const unread = items.filter(({ read_at }) => read_at === null);
          const newest = unread[0];
          return (
            <>
              {items.length === 0 && <EmptyState>{t("notifications.none")}</EmptyState>}
              {newest && (
                <Button size="xs" variant="default" onClick={() => run(markAllRead(newest.id))}>
                  {t("notifications.mark_all_read")}
                </Button>
              )}
              <ul className={layout.list}>
                {items.map((item) => (
                  <Item key={item.id} item={item} onRead={() => run(markRead(item.id))} onLeave={onClose} />
                ))}
              </ul>
            </>
          );
        }}
      </QueryBoundary>
    </Dialog>
  );
}

function Item({ item, onRead, onLeave }: { item: Notification; onRead: () => void; onLeave: () => void }) {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const { role } = useMe();
  const { title, sentence } = textOf(item.kind, getLanguage());
  const isAlert = item.kind.startsWith("alert.") && isStaff(role);
  const isUnread = item.read_at === null;
  const leave = () => {
    if (isUnread) onRead();
    onLeave();
  };
  return (
    <li className={classes.item}>
      <p className={classes.title}>
        {isUnread && `${t("notifications.new")}: `}
        {title}
      </p>
      <p>{sentence}</p>
      <p>
        <time dateTime={item.created_at}>{formatDateTime(item.created_at, zone)}</time>
      </p>
      <div className={classes.acts}>
        <Link to={isAlert ? "/alarms" : "/account"} onClick={leave} aria-label={`${t("notifications.open")}: ${title}`}>
          {t("notifications.open")}
        </Link>
        {isUnread && (
          <Button size="compact-xs" variant="default" onClick={onRead} aria-label={`${t("notifications.mark_read")}: ${title}`}>
            {t("notifications.mark_read")}
          </Button>
        )}
      </div>
    </li>
  );
}
