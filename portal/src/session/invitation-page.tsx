// Where links of invitations and of new passwords lead. What they carry leaves the address bar at once.
import { useEffect, useState } from "react";
import { Page } from "../design/page.tsx";
import { Loading } from "../design/states.tsx";
import { useSay } from "../messages/index.ts";
import { AcceptInvitation, Join } from "./accept-invitation.tsx";
import { Languages } from "./languages.tsx";
import { type Link, linkIn } from "./links.ts";
import { NewPassword } from "./new-password.tsx";
import classes from "./session.module.css";
import { useSession } from "./use-session.ts";

/** `undefined` until the address was looked at, null where it carried nothing. */
function useLinkOfAddress(): Link | null | undefined {
  const [link, setLink] = useState<Link | null>();
  useEffect(() => {
    const take = () => {
      const found = linkIn(location.hash);
      if (location.hash !== "") history.replaceState(history.state, "", location.pathname);
      setLink((before) => found ?? before ?? null);
    };
    take();
    addEventListener("hashchange", take);
    return () => removeEventListener("hashchange", take);
  }, []);
  return link;
}

export function InvitationPage() {
  const say = useSay();
  const link = useLinkOfAddress();
  const session = useSession();
  const signedIn = session.status === "signed_in" ? session.me : null;
  const title = say(link?.kind === "reset" ? "session.new_password" : "session.invitation");
  return (
    <main className={classes.door}>
      <Languages />
      <Page title={title}>
        {link === undefined && <Loading />}
        {link === null && <p>{say("session.no_link")}</p>}
        {link?.kind === "reset" && <NewPassword token={link.token} />}
        {link?.kind === "invitation" &&
          (signedIn ? <Join token={link.token} me={signedIn} /> : <AcceptInvitation token={link.token} />)}
      </Page>
    </main>
  );
}
