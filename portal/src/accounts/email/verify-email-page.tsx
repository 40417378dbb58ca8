// Landing page of links that confirm an e-mail address. A button confirms, because mail filters open links by themselves.
import { Button } from "@mantine/core";
import { useState } from "react";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { Page } from "../../platform/design/page.tsx";
import { ActionError, Loading } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { LanguageButtons } from "../session/language-buttons.tsx";
import { useOneTimeLink } from "../session/one-time-links.ts";
import classes from "../session/session.module.css";
import { reloadMe } from "../session/session.ts";
import { confirmAddress } from "./api.ts";

export function VerifyEmailPage() {
  const t = useTranslation();
  const link = useOneTimeLink();
  const isEmailLink = link?.kind === "verify" || link?.kind === "change";
  return (
    <main className={classes.door}>
      <LanguageButtons />
      <Page title={t("email.verify_title")}>
        {link === undefined && <Loading />}
        {link && isEmailLink && <Confirmation key={link.token} token={link.token} isChange={link.kind === "change"} />}
        {link !== undefined && !isEmailLink && <p>{t("session.no_link")}</p>}
      </Page>
    </main>
  );
}

function Confirmation({ token, isChange }: { token: string; isChange: boolean }) {
  const t = useTranslation();
  const [state, setState] = useState<{ step: "open" | "busy" | "done"; error: unknown }>({ step: "open", error: null });
  async function confirm() {
    setState({ step: "busy", error: null });
    try {
      await withErrorMessages(confirmAddress(token), { link_invalid: t("email.link_invalid") });
      setState({ step: "done", error: null });
      // The address is confirmed even if the page cannot show it now.
      reloadMe().catch(() => undefined);
    } catch (error) {
      setState({ step: "open", error });
    }
  }
  return (
    <>
      {state.step !== "done" && (
        <>
          <p>{t(isChange ? "email.change_text" : "email.verify_text")}</p>
          <Button onClick={confirm} loading={state.step === "busy"}>
            {t("email.confirm")}
          </Button>
        </>
      )}
      <ActionError error={state.error} />
      <p role="status">{state.step === "done" && t("email.confirmed")}</p>
      <p className={classes.other}>
        <a href="/account">{t("email.to_account")}</a>
      </p>
    </>
  );
}
