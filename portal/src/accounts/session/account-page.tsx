// Account page: profile, e-mail address, password, sessions, hospital and preferences.
import { Button, NativeSelect } from "@mantine/core";
import { useState, useSyncExternalStore } from "react";
import { ClaimRecord } from "../../patients/own-record/claim-record.tsx";
import layout from "../../platform/design/layout.module.css";
import { LinkButton } from "../../platform/design/link-button.tsx";
import { Card, DescriptionList, Page } from "../../platform/design/page.tsx";
import { ActionError } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { requestSignOut } from "../../shell/sign-out-dialog.tsx";
import { AddressCard } from "../email/address-card.tsx";
import classes from "./account.module.css";
import { AccountSessions } from "./account-sessions.tsx";
import { PasswordForm } from "./password-form.tsx";
import { getLanguage, getTheme, setPreferences, subscribePreferences, type Theme } from "./preferences.ts";
import { ProfileForm } from "./profile-form.tsx";
import { switchHospital } from "./session.ts";
import { useLanguageChoice } from "./use-language-choice.ts";
import { useMe } from "./use-session.ts";

export function AccountPage() {
  const t = useTranslation();
  const { role, memberships } = useMe();
  const signOutButton = (
    <Button variant="default" onClick={requestSignOut}>
      {t("shell.sign_out")}
    </Button>
  );
  return (
    <Page title={t("nav.account")} actions={signOutButton}>
      <div className={classes.cards}>
        <Card title={t("session.profile")}>
          <AccountFacts />
          <ProfileForm />
        </Card>
        <AddressCard />
        <Card title={t("session.change_password")}>
          <PasswordForm />
        </Card>
        <Card title={t("factors.title")}>
          <p>{t("factors.link_text")}</p>
          <LinkButton to="/account/security" variant="default">
            {t("factors.title")}
          </LinkButton>
        </Card>
        {memberships.length > 1 && <HospitalSwitcher />}
        <PreferencesCard />
        <Card title={t("notify.title")}>
          <p>{t("notify.link_text")}</p>
          <LinkButton to="/account/notifications" variant="default">
            {t("notify.title")}
          </LinkButton>
        </Card>
        {role === "patient" && (
          <Card title={t("me.claim.title")}>
            <p>{t("me.claim.text")}</p>
            <ClaimRecord />
          </Card>
        )}
      </div>
      <div id="sessions">
        <AccountSessions />
      </div>
    </Page>
  );
}

function AccountFacts() {
  const t = useTranslation();
  const { role, hospital } = useMe();
  return (
    <div className={classes.facts}>
      <DescriptionList
        items={[
          [t("session.role"), translateCode("role", role)],
          ...(hospital ? [[t("session.hospital"), hospital.name] as const] : []),
        ]}
      />
    </div>
  );
}

function HospitalSwitcher() {
  const t = useTranslation();
  const { memberships, hospital } = useMe();
  const [state, setState] = useState<{ to: string | null; error: unknown }>({ to: null, error: null });
  const actFor = (hospitalId: string) => {
    setState({ to: hospitalId, error: null });
    switchHospital(hospitalId).catch((error: unknown) => setState({ to: null, error }));
  };
  return (
    <Card title={t("shell.acting_for")}>
      <ul className={layout.list}>
        {memberships.map(({ hospital_id, name, role }) => (
          <li key={hospital_id} className={classes.line}>
            <span>
              <strong>{name}</strong>, {translateCode("role", role)}
            </span>
            {hospital_id === hospital?.id ? (
              <span>{t("session.acting_now")}</span>
            ) : (
              <Button
                variant="default"
                loading={state.to === hospital_id}
                onClick={() => actFor(hospital_id)}
                aria-label={t("session.act_for", { name })}
              >
                {t("session.act")}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <ActionError error={state.error} />
    </Card>
  );
}

const THEMES: readonly Theme[] = ["auto", "light", "dark"];

function PreferencesCard() {
  const t = useTranslation();
  const { choose, error } = useLanguageChoice();
  return (
    <Card title={t("session.preferences")}>
      <div className={layout.stack}>
        <NativeSelect
          label={t("shell.language")}
          value={getLanguage()}
          onChange={(event) => choose(event.target.value === "hi" ? "hi" : "en")}
          data={[
            { value: "en", label: "English" },
            { value: "hi", label: "हिन्दी" },
          ]}
        />
        <ActionError error={error} />
        <ThemeSelect />
        <p className={classes.note}>{t("session.preferences_here")}</p>
      </div>
    </Card>
  );
}

function ThemeSelect() {
  const t = useTranslation();
  const currentTheme = useSyncExternalStore(subscribePreferences, getTheme);
  return (
    <NativeSelect
      label={t("shell.theme")}
      value={currentTheme}
      onChange={(event) => setPreferences({ theme: THEMES.find((one) => one === event.target.value) ?? "auto" })}
      data={THEMES.map((value) => ({ value, label: t(`shell.theme.${value}`) }))}
    />
  );
}
