// Landing page of links that set a new password.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Page } from "../../platform/design/page.tsx";
import { Loading } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { LanguageButtons } from "../session/language-buttons.tsx";
import { NewPasswordForm } from "../session/new-password.tsx";
import { useOneTimeLink } from "../session/one-time-links.ts";
import classes from "../session/session.module.css";

export function ResetPage() {
  const t = useTranslation();
  const link = useOneTimeLink();
  const [isDone, setIsDone] = useState(false);
  return (
    <main className={classes.door}>
      <LanguageButtons />
      <Page title={t("session.new_password")}>
        {link === undefined && <Loading />}
        {link?.kind === "reset" && <NewPasswordForm token={link.token} onDone={() => setIsDone(true)} />}
        {link !== undefined && link?.kind !== "reset" && <p>{t("session.no_link")}</p>}
        {!isDone && (
          <p className={classes.other}>
            <Link to="/forgot">{t("email.ask_again")}</Link>
          </p>
        )}
      </Page>
    </main>
  );
}
