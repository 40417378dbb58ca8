// Sound control in the header: state, turning on, pausing for two minutes and a test.
import { Menu } from "@mantine/core";
import { useEffect, useSyncExternalStore } from "react";
import { useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { formatShortTime } from "../../platform/design/format.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import { endPause, getSoundState, pauseSound, startSound, subscribeSound, testSound, turnOnSound } from "./alarm-sound.ts";
import classes from "./header-alarms.module.css";

export function SoundButton() {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const { status, pausedUntil } = useSyncExternalStore(subscribeSound, getSoundState);
  useEffect(startSound, []);
  if (status === "blocked") {
    return (
      <button type="button" className={classes.blocked} onClick={() => void turnOnSound()}>
        <span aria-hidden="true">♪✕</span> <span className={classes.long}>{t("alarms.sound.blocked")}</span>
        <span className={classes.short} aria-hidden="true">
          {t("alarms.sound.blocked_short")}
        </span>
      </button>
    );
  }
  const time = pausedUntil === null ? "" : formatShortTime(pausedUntil, zone);
  return (
    <Menu position="bottom-end" withinPortal={false} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <button type="button" className={classes.sound} data-paused={pausedUntil !== null}>
          <span aria-hidden="true">♪</span>{" "}
          {pausedUntil === null ? (
            t(status === "on" ? "alarms.sound.on" : "alarms.sound.elsewhere")
          ) : (
            <>
              <span className={classes.long}>{t("alarms.sound.paused", { time })}</span>
              <span className={classes.short} aria-hidden="true">
                {t("alarms.sound.paused_short", { time })}
              </span>
            </>
          )}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("alarms.sound.menu")}</Menu.Label>
        {pausedUntil === null ? (
          <Menu.Item onClick={pauseSound}>{t("alarms.sound.pause")}</Menu.Item>
        ) : (
          <Menu.Item onClick={endPause}>{t("alarms.sound.resume")}</Menu.Item>
        )}
        <Menu.Item closeMenuOnClick={false} onClick={() => void testSound()}>
          {t("alarms.sound.test")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
