// The top of every page: what this is, whether it is live, search, sound, and the person who is signed in.
import { Button, Menu } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { AlarmCounts } from "../alarms/alarm-counts.tsx";
import { SoundPill } from "../alarms/sound-pill.tsx";
import { useLink } from "../live/use-live.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { PatientSearch } from "../patients/patient-search.tsx";
import { Languages } from "../session/languages.tsx";
import { prefer, type Theme } from "../session/preferences.ts";
import { signOut, switchHospital } from "../session/session.ts";
import { isStaff, useMe } from "../session/use-session.ts";
import { landingOf } from "./navigation.ts";
import classes from "./shell.module.css";
import { Shortcuts } from "./shortcuts.tsx";

export function Header() {
  const say = useSay();
  const { role } = useMe();
  return (
    <header className={classes.header}>
      <Link to={landingOf(role)} className={classes.name}>
        {say("common.edgecare")}
      </Link>
      <Pill />
      {isStaff(role) && <AlarmCounts />}
      <div className={classes.space} />
      {isStaff(role) && <PatientSearch />}
      {isStaff(role) && <SoundPill />}
      <Languages className={classes.language} />
      <Person />
      <Shortcuts />
    </header>
  );
}

function Pill() {
  const say = useSay();
  const { status } = useLink();
  if (status === "off") return null;
  const texts = {
    live: "shell.live",
    connecting: "shell.connecting",
    catching_up: "shell.catching_up",
    lost: "shell.lost_short",
    stopped: "shell.lost_short",
  } as const;
  return (
    <span className={classes.pill} data-status={status} role="status">
      <span aria-hidden="true">{status === "live" ? "●" : "○"}</span> {say(texts[status])}
    </span>
  );
}

const THEMES: readonly Theme[] = ["auto", "light", "dark"];

/** As much of a name as there is room for on a phone. */
const initialsOf = (name: string): string =>
  name
    .split(/\s+/)
    .map((word) => Array.from(word)[0] ?? "")
    .filter((letter) => /\p{L}/u.test(letter))
    .filter((_, i, all) => i === 0 || i === all.length - 1)
    .join("");

function Person() {
  const say = useSay();
  const me = useMe();
  const navigate = useNavigate();
  return (
    <Menu position="bottom-end" width={280} withinPortal={false}>
      <Menu.Target>
        <Button variant="default" size="compact-md" className={classes.person}>
          <span className={classes.fullName}>{me.full_name}</span>
          <span className={classes.initials} aria-hidden="true">
            {initialsOf(me.full_name)}
          </span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {sayOf("role", me.role)}
          {me.hospital ? ` · ${me.hospital.name}` : ""}
        </Menu.Label>
        <Menu.Item onClick={() => void navigate({ to: "/account" })}>{say("nav.account")}</Menu.Item>
        <Menu.Divider />
        <Menu.Label>{say("shell.theme")}</Menu.Label>
        {THEMES.map((theme) => (
          <Menu.Item key={theme} onClick={() => prefer({ theme })}>
            {say(`shell.theme.${theme}`)}
          </Menu.Item>
        ))}
        {me.memberships.length > 1 && (
          <>
            <Menu.Divider />
            <Menu.Label>{say("shell.acting_for")}</Menu.Label>
            {me.memberships.map(({ hospital_id, name }) => (
              <Menu.Item
                key={hospital_id}
                disabled={hospital_id === me.hospital?.id}
                onClick={() => void switchHospital(hospital_id)}
              >
                {name}
              </Menu.Item>
            ))}
          </>
        )}
        <Menu.Divider />
        <Menu.Item onClick={() => void signOut()}>{say("shell.sign_out")}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
