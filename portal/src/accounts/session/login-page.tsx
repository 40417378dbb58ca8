// Sign-in page.
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Page } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { landingPath } from "../../shell/navigation.ts";
import { LanguageButtons } from "./language-buttons.tsx";
import classes from "./session.module.css";
import { currentSession } from "./session.ts";
import { SignInForm } from "./sign-in-form.tsx";

export function LoginPage() {
  const t = useTranslation();
  const navigate = useNavigate();
  const { next } = useSearch({ from: "/login" });
  const openNextPage = () => {
    const session = currentSession();
    // Redirects only within the portal: the address is not trusted input.
    const localPath = next?.startsWith("/") && !next.startsWith("//") ? next : undefined;
    if ("me" in session)
      void navigate({ href: localPath && localPath !== "/" ? localPath : landingPath(session.me.role), replace: true });
  };
  return (
    <main className={classes.door}>
      <LanguageButtons />
      <Page title={t("common.edgecare")} windowTitle={t("session.sign_in")}>
        <SignInForm onDone={openNextPage} />
        <p className={classes.other}>
          <Link to="/forgot">{t("email.forgot")}</Link>
        </p>
        <p className={classes.other}>
          {t("session.no_patient_account")} <Link to="/register">{t("session.register")}</Link>
        </p>
      </Page>
    </main>
  );
}
