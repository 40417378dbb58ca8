// Landing page of invitations; links that set a password led here too in earlier releases.
import { Page } from "../../platform/design/page.tsx";
import { Loading } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { AcceptInvitation, JoinHospital } from "./accept-invitation.tsx";
import { LanguageButtons } from "./language-buttons.tsx";
import { NewPasswordForm } from "./new-password.tsx";
import { useOneTimeLink } from "./one-time-links.ts";
import classes from "./session.module.css";
import { useSession } from "./use-session.ts";

export function InvitationPage() {
  const t = useTranslation();
  const link = useOneTimeLink();
  const session = useSession();
  const signedInUser = session.status === "signed_in" ? session.me : null;
  const title = t(link?.kind === "reset" ? "session.new_password" : "session.invitation");
  return (
    <main className={classes.door}>
      <LanguageButtons />
      <Page title={title}>
        {link === undefined && <Loading />}
        {link === null && <p>{t("session.no_link")}</p>}
        {link?.kind === "reset" && <NewPasswordForm token={link.token} />}
        {link?.kind === "invitation" &&
          (signedInUser ? <JoinHospital token={link.token} me={signedInUser} /> : <AcceptInvitation token={link.token} />)}
      </Page>
    </main>
  );
}
