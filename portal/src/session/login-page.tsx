// The door.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Page } from "../design/page.tsx";
import { useSay } from "../messages/index.ts";
import { landingOf } from "../shell/navigation.ts";
import { Languages } from "./languages.tsx";
import classes from "./session.module.css";
import { current } from "./session.ts";
import { SignInForm } from "./sign-in-form.tsx";

export function LoginPage() {
  const say = useSay();
  const navigate = useNavigate();
  const { next } = useSearch({ from: "/login" });
  const go = () => {
    const session = current();
    // Only a page of ours: what stands in an address is anybody's.
    const page = next?.startsWith("/") && !next.startsWith("//") ? next : undefined;
    if ("me" in session) void navigate({ href: page && page !== "/" ? page : landingOf(session.me.role), replace: true });
  };
  return (
    <main className={classes.door}>
      <Languages />
      <Page title={say("common.edgecare")} windowTitle={say("session.sign_in")}>
        <SignInForm onDone={go} />
      </Page>
    </main>
  );
}
