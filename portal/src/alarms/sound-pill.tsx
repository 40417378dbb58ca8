// Alarm sound in the header: whether it sounds, and if not why; turning it on, pausing it for two minutes, and a test.
import { Menu } from "@mantine/core";
import { useEffect, useSyncExternalStore } from "react";
import { shortClock } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import classes from "./header-alarms.module.css";
import { endPause, pauseSound, soundState, startSound, subscribeSound, testSound, turnOnSound } from "./sound.ts";
import { useZone } from "./zone.ts";

export function SoundPill() {
  const say = useSay();
  const zone = useZone();
  const { status, pausedUntil } = useSyncExternalStore(subscribeSound, soundState);
  useEffect(startSound, []);
  if (status === "blocked") {
    return (
      <button type="button" className={classes.blocked} onClick={() => void turnOnSound()}>
        <span aria-hidden="true">♪✕</span> <span className={classes.long}>{say("alarms.sound.blocked")}</span>
        <span className={classes.short} aria-hidden="true">
          {say("alarms.sound.blocked_short")}
        </span>
      </button>
    );
  }
  const time = pausedUntil === null ? "" : shortClock(pausedUntil, zone);
  return (
    <Menu position="bottom-end" withinPortal={false} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <button type="button" className={classes.sound} data-paused={pausedUntil !== null}>
          <span aria-hidden="true">♪</span>{" "}
          {pausedUntil === null ? (
            say(status === "on" ? "alarms.sound.on" : "alarms.sound.elsewhere")
          ) : (
            <>
              <span className={classes.long}>{say("alarms.sound.paused", { time })}</span>
              <span className={classes.short} aria-hidden="true">
                {say("alarms.sound.paused_short", { time })}
              </span>
            </>
          )}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{say("alarms.sound.menu")}</Menu.Label>
        {pausedUntil === null ? (
          <Menu.Item onClick={pauseSound}>{say("alarms.sound.pause")}</Menu.Item>
        ) : (
          <Menu.Item onClick={endPause}>{say("alarms.sound.resume")}</Menu.Item>
        )}
        <Menu.Item closeMenuOnClick={false} onClick={() => void testSound()}>
          {say("alarms.sound.test")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
