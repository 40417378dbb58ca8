// Page header: brand, live state, search, sound and user menu.
import { Button, Menu } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { LanguageButtons } from "../accounts/session/language-buttons.tsx";
import { setPreferences, type Theme } from "../accounts/session/preferences.ts";
import { switchHospital } from "../accounts/session/session.ts";
import { isStaff, useMe } from "../accounts/session/use-session.ts";
import { AlarmCounts } from "../monitoring/alerts/alarm-counts.tsx";
import { SoundButton } from "../monitoring/alerts/sound-button.tsx";
import { useConnection, useServerNow } from "../monitoring/live/use-live.ts";
import { WaitingSetsButton } from "../monitoring/observation-set/waiting-sets.tsx";
import { Bell } from "../notifications/bell.tsx";
import { PatientSearch } from "../patients/patient-search.tsx";
import { formatZone } from "../platform/design/format.ts";
import { useScreenZone } from "../platform/design/screen-zone.ts";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { landingPath } from "./navigation.ts";
import classes from "./shell.module.css";
import { Shortcuts } from "./shortcuts.tsx";
import { requestSignOut } from "./sign-out-dialog.tsx";

export function Header() {
  const t = useTranslation();
  const { role } = useMe();
  return (
    <header className={classes.header}>
      <Link to={landingPath(role)} className={classes.name}>
        {t("common.edgecare")}
      </Link>
      <ConnectionPill />
      <ZoneName />
      {isStaff(role) && <AlarmCounts />}
      <WaitingSetsButton />
      <div className={classes.space} />
      {isStaff(role) && <PatientSearch />}
      {isStaff(role) && <SoundButton />}
      <Bell />
      <LanguageButtons className={classes.language} />
      <UserMenu />
      <Shortcuts />
    </header>
  );
}

/** Of a session that still lacks its second step: without anything that reads data. */
export function HeldHeader() {
  const t = useTranslation();
  return (
    <header className={classes.header}>
      <span className={classes.name}>{t("common.edgecare")}</span>
      <div className={classes.space} />
      <LanguageButtons className={classes.language} />
      <Button variant="default" size="compact-md" onClick={requestSignOut}>
        {t("shell.sign_out")}
      </Button>
    </header>
  );
}

function ConnectionPill() {
  const t = useTranslation();
  const connection = useConnection();
  const { status } = connection;
  if (status === "off") return null;
  const everyMs = connection.status === "live" ? connection.everyMs : null;
  const labels = {
    live: "shell.live",
    connecting: "shell.connecting",
    catching_up: "shell.catching_up",
    lost: "shell.lost_short",
    stopped: "shell.lost_short",
  } as const;
  return (
    <span className={classes.pill} data-status={status} role="status">
      <span aria-hidden="true">{status === "live" ? "●" : "○"}</span>{" "}
      {everyMs === null ? t(labels[status]) : t("shell.live_every", { n: Math.round(everyMs / 1_000) })}
    </span>
  );
}

/** Minutes: a zone changes its name with its clocks. */
const ZONE_UPDATE_MS = 60_000;

/** The zone of all times on the screen. */
function ZoneName() {
  const t = useTranslation();
  const zone = useScreenZone();
  const now = useServerNow(ZONE_UPDATE_MS);
  return (
    <span className={classes.zone}>
      <span className={classes.zoneLabel}>{t("shell.times_in")} </span>
      <abbr title={`${formatZone(now, zone, "long")} (${zone})`}>{formatZone(now, zone, "short")}</abbr>
    </span>
  );
}

const THEMES: readonly Theme[] = ["auto", "light", "dark"];

/** Shortened name for a phone. */
const getInitials = (name: string): string =>
  name
    .split(/\s+/)
    .map((word) => Array.from(word)[0] ?? "")
    .filter((letter) => /\p{L}/u.test(letter))
    .filter((_, i, all) => i === 0 || i === all.length - 1)
    .join("");

function UserMenu() {
  const t = useTranslation();
  const me = useMe();
  const navigate = useNavigate();
  return (
    <Menu position="bottom-end" width={280} withinPortal={false}>
      <Menu.Target>
        <Button variant="default" size="compact-md" className={classes.person}>
          <span className={classes.fullName}>{me.full_name}</span>
          <span className={classes.initials} aria-hidden="true">
            {getInitials(me.full_name)}
          </span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {translateCode("role", me.role)}
          {me.hospital ? ` · ${me.hospital.name}` : ""}
        </Menu.Label>
        <Menu.Item onClick={() => void navigate({ to: "/account" })}>{t("nav.account")}</Menu.Item>
        <Menu.Divider />
        <Menu.Label>{t("shell.theme")}</Menu.Label>
        {THEMES.map((theme) => (
          <Menu.Item key={theme} onClick={() => setPreferences({ theme })}>
            {t(`shell.theme.${theme}`)}
          </Menu.Item>
        ))}
        {me.memberships.length > 1 && (
          <>
            <Menu.Divider />
            <Menu.Label>{t("shell.acting_for")}</Menu.Label>
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
        <Menu.Item onClick={requestSignOut}>{t("shell.sign_out")}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
