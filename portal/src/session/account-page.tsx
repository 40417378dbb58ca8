// The own account: profile, password, signed-in devices, for whom one acts, how this browser shows things.
import { Button, NativeSelect } from "@mantine/core";
import { useState, useSyncExternalStore } from "react";
import layout from "../design/layout.module.css";
import { Card, Facts, Page } from "../design/page.tsx";
import { NotDone } from "../design/states.tsx";
import { ClaimRecord } from "../me/claim-record.tsx";
import { sayOf, useSay } from "../messages/index.ts";
import classes from "./account.module.css";
import { PasswordForm } from "./password-form.tsx";
import { language, prefer, subscribe, type Theme, theme } from "./preferences.ts";
import { ProfileForm } from "./profile-form.tsx";
import { signOut, switchHospital } from "./session.ts";
import { SignedInDevices } from "./signed-in-devices.tsx";
import { useMe } from "./use-session.ts";

export function AccountPage() {
  const say = useSay();
  const { role, memberships } = useMe();
  const leave = (
    <Button variant="default" onClick={() => void signOut()}>
      {say("shell.sign_out")}
    </Button>
  );
  return (
    <Page title={say("nav.account")} actions={leave}>
      <div className={classes.cards}>
        <Card title={say("session.profile")}>
          <WhoIAm />
          <ProfileForm />
        </Card>
        <Card title={say("session.change_password")}>
          <PasswordForm />
        </Card>
        {memberships.length > 1 && <Hospitals />}
        <Preferences />
        {role === "patient" && (
          <Card title={say("me.claim.title")}>
            <p>{say("me.claim.text")}</p>
            <ClaimRecord />
          </Card>
        )}
      </div>
      <SignedInDevices />
    </Page>
  );
}

function WhoIAm() {
  const say = useSay();
  const { email, role, hospital } = useMe();
  return (
    <div className={classes.facts}>
      <Facts
        items={[
          [say("session.email"), email],
          [say("session.role"), sayOf("role", role)],
          ...(hospital ? [[say("session.hospital"), hospital.name] as const] : []),
        ]}
      />
      <p className={classes.note}>{say("session.email_by_manager")}</p>
    </div>
  );
}

function Hospitals() {
  const say = useSay();
  const { memberships, hospital } = useMe();
  const [state, setState] = useState<{ to: string | null; error: unknown }>({ to: null, error: null });
  const go = (hospitalId: string) => {
    setState({ to: hospitalId, error: null });
    switchHospital(hospitalId).catch((error: unknown) => setState({ to: null, error }));
  };
  return (
    <Card title={say("shell.acting_for")}>
      <ul className={layout.list}>
        {memberships.map(({ hospital_id, name, role }) => (
          <li key={hospital_id} className={classes.line}>
            <span>
              <strong>{name}</strong>, {sayOf("role", role)}
            </span>
            {hospital_id === hospital?.id ? (
              <span>{say("session.acting_now")}</span>
            ) : (
              <Button
                variant="default"
                loading={state.to === hospital_id}
                onClick={() => go(hospital_id)}
                aria-label={say("session.act_for", { name })}
              >
                {say("session.act")}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <NotDone error={state.error} />
    </Card>
  );
}

const THEMES: readonly Theme[] = ["auto", "light", "dark"];

function Preferences() {
  const say = useSay();
  return (
    <Card title={say("session.preferences")}>
      <div className={layout.stack}>
        <NativeSelect
          label={say("shell.language")}
          value={language()}
          onChange={(event) => prefer({ language: event.target.value === "hi" ? "hi" : "en" })}
          data={[
            { value: "en", label: "English" },
            { value: "hi", label: "हिन्दी" },
          ]}
        />
        <ThemeChoice />
        <p className={classes.note}>{say("session.preferences_here")}</p>
      </div>
    </Card>
  );
}

function ThemeChoice() {
  const say = useSay();
  const chosen = useSyncExternalStore(subscribe, theme);
  return (
    <NativeSelect
      label={say("shell.theme")}
      value={chosen}
      onChange={(event) => prefer({ theme: THEMES.find((one) => one === event.target.value) ?? "auto" })}
      data={THEMES.map((value) => ({ value, label: say(`shell.theme.${value}`) }))}
    />
  );
}
