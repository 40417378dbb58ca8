// Security of the own account: passkeys, authenticator app and recovery codes.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { formatDate } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { LinkButton } from "../../platform/design/link-button.tsx";
import { Card, Page } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import classes from "../session/account.module.css";
import { useMe } from "../session/use-session.ts";
import { AuthenticatorCard } from "./authenticator-card.tsx";
import { PasskeysCard } from "./passkeys-card.tsx";
import { RecoveryCodesCard } from "./recovery-codes-card.tsx";
import { RecoveryCodesDialog } from "./recovery-codes-dialog.tsx";
import { useSecondStepDemand } from "./second-step-due.ts";
import { factorsQuery, useFactorsChanged } from "./use-factors.ts";

export function SecurityPage() {
  const t = useTranslation();
  const { user_id } = useMe();
  const query = useQuery(factorsQuery(user_id));
  const demand = useSecondStepDemand();
  const reload = useFactorsChanged();
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  /** @param newCodes null unless the change created some */
  const onChanged = async (newCodes: readonly string[] | null) => {
    if (newCodes) setCodes(newCodes);
    await reload();
  };
  return (
    <Page title={t("factors.title")}>
      {demand.kind === "enrol" && (
        <div className={layout.alert} role="alert">
          <p>{t("factors.enrol_text", { date: formatDate(demand.from) })}</p>
        </div>
      )}
      <p>{t("factors.intro")}</p>
      <QueryBoundary query={query}>
        {(factors) => (
          <>
            <PasskeysCard passkeys={factors.passkeys} onChanged={onChanged} />
            <div className={classes.cards}>
              <AuthenticatorCard totp={factors.totp} onChanged={onChanged} />
              {(factors.totp || factors.passkeys.length > 0) && (
                <RecoveryCodesCard left={factors.recovery_codes_left} onChanged={onChanged} />
              )}
              <Card title={t("session.devices")}>
                <p>{t("factors.sessions_text")}</p>
                <LinkButton to="/account" hash="sessions" variant="default">
                  {t("factors.open_sessions")}
                </LinkButton>
              </Card>
            </div>
          </>
        )}
      </QueryBoundary>
      {codes && <RecoveryCodesDialog codes={codes} onClose={() => setCodes(null)} />}
    </Page>
  );
}
