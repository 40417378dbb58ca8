// Staff actions on one alarm. Each waits for the server's response and reports a missing one.
import { Button, Menu, Textarea } from "@mantine/core";
import { type ReactNode, useRef, useState } from "react";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { useMe } from "../../accounts/session/use-session.ts";
import { useIsReadOnly } from "../../patients/record/use-patient-record.ts";
import type { Problem } from "../../platform/api/problem.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import layout from "../../platform/design/layout.module.css";
import { type OfflineGuard, useOfflineGuard } from "../../platform/design/offline-guard.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import { AlarmActionError } from "./alarm-action-error.tsx";
import classes from "./alarm-card.module.css";
import { useAssignableStaff } from "./alarm-names.tsx";
import type { AlarmAction } from "./api.ts";
import { useAlarmAction } from "./use-alarm-action.ts";
import { useAlarmText } from "./use-alarm-text.ts";

const SNOOZE_MINUTES = [15, 30, 60, 120, 240];

export type AlarmProps = { alert: AlertView; name?: ReactNode };
type RunAction = (action: AlarmAction) => Promise<Problem | null>;

/** Needs acknowledgement: new, or recovered before it was acknowledged. */
export const isUnacknowledged = ({ state }: Pick<AlertView, "state">): boolean => state === "active" || state === "recovered";

export function AlarmActions({ alert }: AlarmProps) {
  return useIsReadOnly(alert.patient_id) ? null : <Actions alert={alert} />;
}

function Actions({ alert }: AlarmProps) {
  const t = useTranslation();
  const { busy, failure, does: runAction } = useAlarmAction(alert);
  const offlineGuard = useOfflineGuard();
  const [isCommenting, setIsCommenting] = useState(false);
  const [isResolving, setIsResolving] = useState(false);
  const isOpen = alert.state !== "cleared";
  const alarmText = useAlarmText(alert);
  const acknowledge = async () => {
    if (!(await runAction({ kind: "acknowledge" }))) announce(t("alarms.acknowledged_said", { what: alarmText }));
  };
  return (
    <div className={classes.acting}>
      <div className={`${layout.acts} ${classes.actions}`}>
        {isUnacknowledged(alert) && (
          <Button
            onClick={() => void acknowledge()}
            loading={busy === "acknowledge"}
            aria-label={t("alarms.acknowledge_what", { what: alarmText })}
            {...offlineGuard.offlineProps}
          >
            {t("alarms.acknowledge")}
          </Button>
        )}
        {isOpen && <Assign alert={alert} runAction={runAction} busy={busy === "assign"} offlineGuard={offlineGuard} />}
        <Button variant="default" onClick={() => setIsCommenting(!isCommenting)} aria-expanded={isCommenting}>
          {t("alarms.comment")}
        </Button>
        {isOpen && <Snooze runAction={runAction} busy={busy === "snooze"} offlineGuard={offlineGuard} />}
        {isOpen && (
          <Button variant="default" onClick={() => setIsResolving(true)} {...offlineGuard.offlineProps}>
            {t("alarms.resolve")}
          </Button>
        )}
      </div>
      {isCommenting && (
        <Comment
          runAction={runAction}
          busy={busy === "comment"}
          offlineGuard={offlineGuard}
          onDone={() => setIsCommenting(false)}
        />
      )}
      {offlineGuard.offlineNotice}
      {isResolving && <Resolve runAction={runAction} onClose={() => setIsResolving(false)} />}
      {!isResolving && (
        <AlarmActionError failure={failure?.kind === "acknowledge" && !isUnacknowledged(alert) ? null : failure} />
      )}
    </div>
  );
}

type ActProps = { runAction: RunAction; busy: boolean; offlineGuard: OfflineGuard };

type MenuButtonProps = Omit<ActProps, "runAction"> & {
  label: string;
  isOpened: boolean;
  onOpen: (isOpened: boolean) => void;
  children: ReactNode;
};

/** Button with a menu; disabled while no change is possible. */
function MenuButton({ label, busy, offlineGuard, isOpened, onOpen, children }: MenuButtonProps) {
  return (
    <Menu
      opened={isOpened && !offlineGuard.offline}
      onChange={(next) => onOpen(next && !offlineGuard.offline)}
      position="bottom-start"
      withinPortal={false}
      withInitialFocusPlaceholder={false}
    >
      <Menu.Target>
        <Button variant="default" loading={busy} {...offlineGuard.offlineProps}>
          {label} <span aria-hidden="true">&nbsp;▾</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  );
}

function Assign({ alert, runAction, ...button }: ActProps & { alert: AlertView }) {
  const t = useTranslation();
  const me = useMe();
  const [isOpened, setIsOpened] = useState(false);
  const assignableStaff = useAssignableStaff(alert.patient_id, isOpened);
  const assignTo = (to: string | null) => () => void runAction({ kind: "assign", to });
  return (
    <MenuButton {...button} label={t("alarms.assign")} isOpened={isOpened} onOpen={setIsOpened}>
      <Menu.Label>{t("alarms.assign.choose")}</Menu.Label>
      <Menu.Item onClick={assignTo(me.user_id)}>{t("alarms.assign.me")}</Menu.Item>
      {assignableStaff.map(({ id, name }) => (
        <Menu.Item key={id} onClick={assignTo(id)}>
          {name}
        </Menu.Item>
      ))}
      {alert.assigned_to !== null && <Menu.Item onClick={assignTo(null)}>{t("alarms.assign.nobody")}</Menu.Item>}
    </MenuButton>
  );
}

function Snooze({ runAction, ...button }: ActProps) {
  const t = useTranslation();
  const [isOpened, setIsOpened] = useState(false);
  return (
    <MenuButton {...button} label={t("alarms.snooze")} isOpened={isOpened} onOpen={setIsOpened}>
      <Menu.Label>{t("alarms.snooze.what")}</Menu.Label>
      {SNOOZE_MINUTES.map((n) => (
        <Menu.Item key={n} onClick={() => void runAction({ kind: "snooze", minutes: n })}>
          {t("alarms.snooze.minutes", { n })}
        </Menu.Item>
      ))}
    </MenuButton>
  );
}

function Comment({ runAction, busy, offlineGuard, onDone }: ActProps & { onDone: () => void }) {
  const t = useTranslation();
  const [text, setText] = useState("");
  /** Idempotency key per comment, so that a retry adds it once. */
  const key = useRef(crypto.randomUUID());
  const send = async () => {
    if (!(await runAction({ kind: "comment", text: text.trim(), key: key.current }))) onDone();
  };
  return (
    <form
      className={classes.comment}
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== "" && !busy && !offlineGuard.offline) void send();
      }}
    >
      <Textarea
        label={t("alarms.comment.label")}
        value={text}
        maxLength={2_000}
        minRows={2}
        onChange={({ currentTarget }) => {
          setText(currentTarget.value);
          key.current = crypto.randomUUID();
        }}
      />
      <Button type="submit" loading={busy} disabled={text.trim() === ""} {...offlineGuard.offlineProps}>
        {t("alarms.comment.send")}
      </Button>
    </form>
  );
}

function Resolve({ runAction, onClose }: { runAction: RunAction; onClose: () => void }) {
  const t = useTranslation();
  const resolve = async () => {
    const problem = await runAction({ kind: "resolve" });
    if (problem) throw problem;
  };
  return (
    <ConfirmDialog title={t("alarms.resolve.title")} confirmLabel={t("alarms.resolve.act")} onConfirm={resolve} onClose={onClose}>
      <p>{t("alarms.resolve.text")}</p>
    </ConfirmDialog>
  );
}
