// Where this account is signed in, and the end of a session that is not one's own any more.
import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Confirm } from "../design/confirm.tsx";
import { type Column, Table } from "../design/data-table.tsx";
import { Card } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { age, date } from "../design/time.ts";
import { useServerNow } from "../live/use-live.ts";
import { useSay } from "../messages/index.ts";
import classes from "./account.module.css";
import { endSession, listSessions, type SignedIn } from "./account-api.ts";
import { browserOf } from "./browser.ts";
import { useMe } from "./use-session.ts";

export function SignedInDevices() {
  const say = useSay();
  const { user_id } = useMe();
  const client = useQueryClient();
  const query = useQuery({ queryKey: ["account", "sessions", user_id], queryFn: listSessions });
  const [ending, setEnding] = useState<SignedIn | "others" | null>(null);
  const others = (query.data ?? []).filter(({ current }) => !current);
  const end = async (sessions: readonly SignedIn[]) => {
    try {
      for (const { session_id } of sessions) await endSession(session_id);
    } finally {
      await client.invalidateQueries({ queryKey: ["account", "sessions"] });
    }
  };
  const columns: Column<SignedIn>[] = [
    { label: say("session.device"), cell: (session) => <Device session={session} /> },
    { label: say("session.address"), cell: ({ ip }) => ip ?? say("common.unknown") },
    { label: say("session.last_used"), cell: ({ last_used_at }) => <Ago at={last_used_at} /> },
    { label: say("session.since"), cell: ({ created_at }) => date(created_at) },
    {
      label: say("session.end"),
      cell: (session) =>
        session.current ? (
          "—"
        ) : (
          <Button
            variant="default"
            size="compact-md"
            onClick={() => setEnding(session)}
            aria-label={say("session.end_of", { device: browserOf(session.user_agent) ?? say("common.unknown") })}
          >
            {say("session.end")}
          </Button>
        ),
    },
  ];
  return (
    <Card
      title={say("session.devices")}
      actions={
        others.length > 1 && (
          <Button variant="default" onClick={() => setEnding("others")}>
            {say("session.end_others")}
          </Button>
        )
      }
    >
      <p className={classes.note}>{say("session.devices_text")}</p>
      <Query query={query}>
        {(sessions) => (
          <Table label={say("session.devices")} columns={columns} items={sessions} keyOf={({ session_id }) => session_id} />
        )}
      </Query>
      {ending && (
        <Confirm
          title={ending === "others" ? say("session.end_others_title", { n: others.length }) : say("session.end_title")}
          act={say(ending === "others" ? "session.end_others" : "session.end")}
          onConfirm={() => end(ending === "others" ? others : [ending])}
          onClose={() => setEnding(null)}
        >
          {ending !== "others" && (
            <p>
              {browserOf(ending.user_agent) ?? say("common.unknown")}, {ending.ip ?? say("common.unknown")}
            </p>
          )}
          <p>{say("session.end_text")}</p>
        </Confirm>
      )}
    </Card>
  );
}

function Device({ session: { user_agent, current } }: { session: SignedIn }) {
  const say = useSay();
  return (
    <span title={user_agent ?? undefined}>
      {browserOf(user_agent) ?? say("common.unknown")}
      {current && <strong> · {say("session.this_device")}</strong>}
    </span>
  );
}

function Ago({ at }: { at: string }) {
  const say = useSay();
  const now = useServerNow(30_000);
  return say("common.ago", { age: age((now - Date.parse(at)) / 1000) });
}
