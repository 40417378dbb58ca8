// What the shell shows for the hospital's policy: a reminder before its date, and the way to a second step from then on.
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { requestStepUp } from "../../platform/api/step-up.ts";
import { formatDate } from "../../platform/design/format.ts";
import { Card, Page } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { signOut } from "../session/session.ts";
import classes from "./factors.module.css";
import { SECURITY_PATH } from "./second-step-due.ts";

export function SecondStepReminder({ from }: { from: string }) {
  const t = useTranslation();
  return (
    <p className={classes.reminder} role="status">
      {t("factors.reminder", { date: formatDate(from) })} <Link to={SECURITY_PATH}>{t("factors.set_up_now")}</Link>
    </p>
  );
}

const askForSecondStep = () => void requestStepUp("second_step", performance.now());

/** Instead of the page, which continues after the second step. */
export function SecondStepNeeded() {
  const t = useTranslation();
  useEffect(askForSecondStep, []);
  return (
    <Page title={t("factors.second_step")}>
      <Card>
        <p>{t("factors.needed_text")}</p>
        <div className={classes.acts}>
          <Button onClick={askForSecondStep}>{t("factors.continue")}</Button>
          <Button variant="default" onClick={() => void signOut()}>
            {t("shell.sign_out")}
          </Button>
        </div>
      </Card>
    </Page>
  );
}
