// What staff do to one alarm. Each act waits for the server's answer, and says so when none comes.
import { Button, Menu, Textarea } from "@mantine/core";
import { type ReactNode, useRef, useState } from "react";
import type { AlertView } from "../../../src/monitor/contract.ts";
import type { Problem } from "../api/problem.ts";
import { Confirm } from "../design/confirm.tsx";
import layout from "../design/layout.module.css";
import { type Hold, useHeld } from "../design/offline.tsx";
import { useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { announce } from "../shell/announcer.tsx";
import classes from "./alarm-card.module.css";
import { whatOf } from "./alert-words.ts";
import type { Act } from "./api.ts";
import { useAssignable } from "./names.tsx";
import { Refusal } from "./refusal.tsx";
import { useAct } from "./use-act.ts";

const SNOOZE_MINUTES = [15, 30, 60, 120, 240];

export type AlarmProps = { alert: AlertView; name?: ReactNode };
type Does = (what: Act) => Promise<Problem | null>;

/** Waits to be seen: new, or over before anybody saw it. */
export const isUnseen = ({ state }: Pick<AlertView, "state">): boolean => state === "active" || state === "recovered";

export function AlarmActions({ alert }: AlarmProps) {
  const say = useSay();
  const { busy, refused, does } = useAct(alert);
  const hold = useHeld();
  const [commenting, setCommenting] = useState(false);
  const [resolving, setResolving] = useState(false);
  const open = alert.state !== "cleared";
  const acknowledge = async () => {
    if (!(await does({ kind: "acknowledge" }))) announce(say("alarms.acknowledged_said", { what: whatOf(alert) }));
  };
  return (
    <div className={classes.acting}>
      <div className={`${layout.acts} ${classes.actions}`}>
        {isUnseen(alert) && (
          <Button
            onClick={() => void acknowledge()}
            loading={busy === "acknowledge"}
            aria-label={say("alarms.acknowledge_what", { what: whatOf(alert) })}
            {...hold.held}
          >
            {say("alarms.acknowledge")}
          </Button>
        )}
        {open && <Assign alert={alert} does={does} busy={busy === "assign"} hold={hold} />}
        <Button variant="default" onClick={() => setCommenting(!commenting)} aria-expanded={commenting}>
          {say("alarms.comment")}
        </Button>
        {open && <Snooze does={does} busy={busy === "snooze"} hold={hold} />}
        {open && (
          <Button variant="default" onClick={() => setResolving(true)} {...hold.held}>
            {say("alarms.resolve")}
          </Button>
        )}
      </div>
      {commenting && <Comment does={does} busy={busy === "comment"} hold={hold} onDone={() => setCommenting(false)} />}
      {hold.reason}
      {resolving && <Resolve does={does} onClose={() => setResolving(false)} />}
      {!resolving && <Refusal refused={refused?.kind === "acknowledge" && !isUnseen(alert) ? null : refused} />}
    </div>
  );
}

type ActProps = { does: Does; busy: boolean; hold: Hold };

function Assign({ alert, does, busy, hold }: ActProps & { alert: AlertView }) {
  const say = useSay();
  const me = useMe();
  const [opened, setOpened] = useState(false);
  const people = useAssignable(alert.patient_id, opened);
  const give = (to: string | null) => () => void does({ kind: "assign", to });
  return (
    <Menu
      opened={opened && !hold.offline}
      onChange={(next) => setOpened(next && !hold.offline)}
      position="bottom-start"
      withinPortal={false}
      withInitialFocusPlaceholder={false}
    >
      <Menu.Target>
        <Button variant="default" loading={busy} {...hold.held}>
          {say("alarms.assign")} <span aria-hidden="true">&nbsp;▾</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{say("alarms.assign.choose")}</Menu.Label>
        <Menu.Item onClick={give(me.user_id)}>{say("alarms.assign.me")}</Menu.Item>
        {people.map(({ id, name }) => (
          <Menu.Item key={id} onClick={give(id)}>
            {name}
          </Menu.Item>
        ))}
        {alert.assigned_to !== null && <Menu.Item onClick={give(null)}>{say("alarms.assign.nobody")}</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  );
}

function Snooze({ does, busy, hold }: ActProps) {
  const say = useSay();
  const [opened, setOpened] = useState(false);
  return (
    <Menu
      opened={opened && !hold.offline}
      onChange={(next) => setOpened(next && !hold.offline)}
      position="bottom-start"
      withinPortal={false}
      withInitialFocusPlaceholder={false}
    >
      <Menu.Target>
        <Button variant="default" loading={busy} {...hold.held}>
          {say("alarms.snooze")} <span aria-hidden="true">&nbsp;▾</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{say("alarms.snooze.what")}</Menu.Label>
        {SNOOZE_MINUTES.map((n) => (
          <Menu.Item key={n} onClick={() => void does({ kind: "snooze", minutes: n })}>
            {say("alarms.snooze.minutes", { n })}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Comment({ does, busy, hold, onDone }: ActProps & { onDone: () => void }) {
  const say = useSay();
  const [text, setText] = useState("");
  /** One comment keeps its key, so that sending it twice says it once. */
  const key = useRef(crypto.randomUUID());
  const send = async () => {
    if (!(await does({ kind: "comment", text: text.trim(), key: key.current }))) onDone();
  };
  return (
    <form
      className={classes.comment}
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== "" && !busy && !hold.offline) void send();
      }}
    >
      <Textarea
        label={say("alarms.comment.label")}
        value={text}
        maxLength={2_000}
        minRows={2}
        onChange={({ currentTarget }) => {
          setText(currentTarget.value);
          key.current = crypto.randomUUID();
        }}
      />
      <Button type="submit" loading={busy} disabled={text.trim() === ""} {...hold.held}>
        {say("alarms.comment.send")}
      </Button>
    </form>
  );
}

function Resolve({ does, onClose }: { does: Does; onClose: () => void }) {
  const say = useSay();
  const resolve = async () => {
    const problem = await does({ kind: "resolve" });
    if (problem) throw problem;
  };
  return (
    <Confirm title={say("alarms.resolve.title")} act={say("alarms.resolve.act")} onConfirm={resolve} onClose={onClose}>
      <p>{say("alarms.resolve.text")}</p>
    </Confirm>
  );
}
