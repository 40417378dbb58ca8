// Active sessions of the account, and signing them out.
import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useServerNow } from "../../monitoring/live/use-live.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { type Column, Table } from "../../platform/design/data-table.tsx";
import { formatAge, formatDate } from "../../platform/design/format.ts";
import { Card } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import classes from "./account.module.css";
import { type AccountSession, endSession, listSessions } from "./account-api.ts";
import { useMe } from "./use-session.ts";

export function AccountSessions() {
  const t = useTranslation();
  const { user_id } = useMe();
  const client = useQueryClient();
  const query = useQuery({ queryKey: ["account", "sessions", user_id], queryFn: listSessions });
  const [sessionsToEnd, setSessionsToEnd] = useState<AccountSession | "others" | null>(null);
  const others = (query.data ?? []).filter(({ current }) => !current);
  const endSessions = async (sessions: readonly AccountSession[]) => {
    try {
      for (const { session_id } of sessions) await endSession(session_id);
    } finally {
      await client.invalidateQueries({ queryKey: ["account", "sessions"] });
    }
  };
  const columns: Column<AccountSession>[] = [
    { label: t("session.device"), cell: (session) => <SessionDevice session={session} /> },
    { label: t("session.address"), cell: ({ ip }) => ip ?? t("common.unknown") },
    { label: t("session.last_used"), cell: ({ last_used_at }) => <RelativeTime at={last_used_at} /> },
    { label: t("session.since"), cell: ({ created_at }) => formatDate(created_at) },
    {
      label: t("session.end"),
      cell: (session) =>
        session.current ? (
          "—"
        ) : (
          <Button
            variant="default"
            size="compact-md"
            onClick={() => setSessionsToEnd(session)}
            aria-label={t("session.end_of", { device: describeDevice(session) ?? t("common.unknown") })}
          >
            {t("session.end")}
          </Button>
        ),
    },
  ];
  return (
    <Card
      title={t("session.devices")}
      actions={
        others.length > 1 && (
          <Button variant="default" onClick={() => setSessionsToEnd("others")}>
            {t("session.end_others")}
          </Button>
        )
      }
    >
      <p className={classes.note}>{t("session.devices_text")}</p>
      <QueryBoundary query={query}>
        {(sessions) => (
          <Table label={t("session.devices")} columns={columns} items={sessions} rowKey={({ session_id }) => session_id} />
        )}
      </QueryBoundary>
      {sessionsToEnd && (
        <ConfirmDialog
          title={sessionsToEnd === "others" ? t("session.end_others_title", { n: others.length }) : t("session.end_title")}
          confirmLabel={t(sessionsToEnd === "others" ? "session.end_others" : "session.end")}
          onConfirm={() => endSessions(sessionsToEnd === "others" ? others : [sessionsToEnd])}
          onClose={() => setSessionsToEnd(null)}
        >
          {sessionsToEnd !== "others" && (
            <p>
              {describeDevice(sessionsToEnd) ?? t("common.unknown")}, {sessionsToEnd.ip ?? t("common.unknown")}
            </p>
          )}
          <p>{t("session.end_text")}</p>
        </ConfirmDialog>
      )}
    </Card>
  );
}

/** "Firefox, Windows"; the beginning of the header when nothing is recognized: a hint that the client can forge. */
function describeDevice({ browser, system, user_agent }: AccountSession): string | null {
  const names = [browser, system].filter((name) => name !== null);
  return names.length > 0 ? names.join(", ") : (user_agent?.slice(0, 60) ?? null);
}

function SessionDevice({ session }: { session: AccountSession }) {
  const t = useTranslation();
  return (
    <span title={session.user_agent ?? undefined}>
      {describeDevice(session) ?? t("common.unknown")}
      {session.current && <strong> · {t("session.this_device")}</strong>}
    </span>
  );
}

function RelativeTime({ at }: { at: string }) {
  const t = useTranslation();
  const now = useServerNow(30_000);
  return t("common.ago", { age: formatAge((now - Date.parse(at)) / 1000) });
}
