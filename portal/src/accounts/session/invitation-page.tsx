// Landing page of invitation and password links. The token is removed from the address bar at once.
import { useEffect, useState } from "react";
import { Page } from "../../platform/design/page.tsx";
import { Loading } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { AcceptInvitation, JoinHospital } from "./accept-invitation.tsx";
import { LanguageButtons } from "./language-buttons.tsx";
import { NewPasswordForm } from "./new-password.tsx";
import { type OneTimeLink, parseOneTimeLink } from "./one-time-links.ts";
import classes from "./session.module.css";
import { useSession } from "./use-session.ts";

/** `undefined` until the address was read; null when it has no token. */
function useLinkFromHash(): OneTimeLink | null | undefined {
  const [link, setLink] = useState<OneTimeLink | null>();
  useEffect(() => {
    const readHash = () => {
      const parsed = parseOneTimeLink(location.hash);
      if (location.hash !== "") history.replaceState(history.state, "", location.pathname);
      setLink((previous) => parsed ?? previous ?? null);
    };
    readHash();
    addEventListener("hashchange", readHash);
    return () => removeEventListener("hashchange", readHash);
  }, []);
  return link;
}

export function InvitationPage() {
  const t = useTranslation();
  const link = useLinkFromHash();
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
