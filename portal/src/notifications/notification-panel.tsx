// The panel of the bell: lists notifications, opens what they are about, and marks them as read.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { portalPathOf } from "../../../src/notifications/links.ts";
import { textOf } from "../../../src/notifications/text.ts";
import { getLanguage } from "../accounts/session/preferences.ts";
import { useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { Dialog } from "../platform/design/dialog.tsx";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { ActionError, EmptyState, QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { listNotifications, markAllRead, markRead, type Notification } from "./api.ts";
import classes from "./bell.module.css";
import { NOTIFICATIONS_KEY, refreshNotifications } from "./refresh.ts";

export function NotificationPanel({ onClose }: { onClose: () => void }) {
  const t = useTranslation();
  const query = useQuery({ queryKey: [...NOTIFICATIONS_KEY, "list"], queryFn: listNotifications });
  const [error, setError] = useState<unknown>(null);
  const run = (work: Promise<unknown>) => void work.then(() => setError(null), setError).finally(refreshNotifications);
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

const STEPS = ["grant", "deny", "revoke", "share"] as const;

/** The name of the guardian, with what they decided. */
function guardianText(name: string, step: string | number | undefined, t: ReturnType<typeof useTranslation>): string {
  const known = STEPS.find((one) => one === step);
  return known ? t(`notifications.guardian.${known}`, { name }) : t("notifications.guardian", { name });
}

function Item({ item, onRead, onLeave }: { item: Notification; onRead: () => void; onLeave: () => void }) {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const { title, sentence } = textOf(item.kind, getLanguage(), item.priority);
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
      {item.guardian_name !== null && <p>{guardianText(item.guardian_name, item.refs["step"], t)}</p>}
      <p>
        <time dateTime={item.created_at}>{formatDateTime(item.created_at, zone)}</time>
      </p>
      <div className={classes.acts}>
        <Link to={portalPathOf(item.kind, item.refs)} onClick={leave} aria-label={`${t("notifications.open")}: ${title}`}>
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
