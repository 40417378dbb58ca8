// What staff do to one alarm. Each act waits for the server's answer, and says so when none comes.
import { Button, Menu, Textarea } from "@mantine/core";
import { type ReactNode, useRef, useState } from "react";
import type { AlertView } from "../../../src/monitoring/patient-object/contract.ts";
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

type ChoiceProps = Omit<ActProps, "does"> & {
  label: string;
  opened: boolean;
  onOpen: (opened: boolean) => void;
  children: ReactNode;
};

/** A button with a menu of what can be chosen; closed while nothing can be changed. */
function Choice({ label, busy, hold, opened, onOpen, children }: ChoiceProps) {
  return (
    <Menu
      opened={opened && !hold.offline}
      onChange={(next) => onOpen(next && !hold.offline)}
      position="bottom-start"
      withinPortal={false}
      withInitialFocusPlaceholder={false}
    >
      <Menu.Target>
        <Button variant="default" loading={busy} {...hold.held}>
          {label} <span aria-hidden="true">&nbsp;▾</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  );
}

function Assign({ alert, does, ...button }: ActProps & { alert: AlertView }) {
  const say = useSay();
  const me = useMe();
  const [opened, setOpened] = useState(false);
  const people = useAssignable(alert.patient_id, opened);
  const give = (to: string | null) => () => void does({ kind: "assign", to });
  return (
    <Choice {...button} label={say("alarms.assign")} opened={opened} onOpen={setOpened}>
      <Menu.Label>{say("alarms.assign.choose")}</Menu.Label>
      <Menu.Item onClick={give(me.user_id)}>{say("alarms.assign.me")}</Menu.Item>
      {people.map(({ id, name }) => (
        <Menu.Item key={id} onClick={give(id)}>
          {name}
        </Menu.Item>
      ))}
      {alert.assigned_to !== null && <Menu.Item onClick={give(null)}>{say("alarms.assign.nobody")}</Menu.Item>}
    </Choice>
  );
}

function Snooze({ does, ...button }: ActProps) {
  const say = useSay();
  const [opened, setOpened] = useState(false);
  return (
    <Choice {...button} label={say("alarms.snooze")} opened={opened} onOpen={setOpened}>
      <Menu.Label>{say("alarms.snooze.what")}</Menu.Label>
      {SNOOZE_MINUTES.map((n) => (
        <Menu.Item key={n} onClick={() => void does({ kind: "snooze", minutes: n })}>
          {say("alarms.snooze.minutes", { n })}
        </Menu.Item>
      ))}
    </Choice>
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
