// Accounts linked to the record, and access codes to link one, with who used them and who failed.
import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { Dialog } from "../../platform/design/dialog.tsx";
import { formatDate, formatDateTime } from "../../platform/design/format.ts";
import { useOfflineGuard } from "../../platform/design/offline-guard.tsx";
import { Card } from "../../platform/design/page.tsx";
import { ActionError, QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import classes from "./history.module.css";
import { type ClaimCode, issueClaimCode, listClaimCodes, listLogins, unlinkLogin } from "./record-api.ts";

type LoginsProps = { patientId: string; zone: string | undefined };

export function Logins({ patientId, zone }: LoginsProps) {
  const t = useTranslation();
  const queryClient = useQueryClient();
  const key = ["patients", patientId, "logins"];
  const query = useQuery({ queryKey: key, queryFn: () => listLogins(patientId) });
  const [loginToUnlink, setLoginToUnlink] = useState<string | null>(null);
  return (
    <Card title={t("record.login")}>
      <QueryBoundary query={query}>
        {(logins) =>
          logins.length === 0 ? (
            <p>{t("record.no_login")}</p>
          ) : (
            <ul className={classes.list}>
              {logins.map(({ user_id, full_name, method, proof, created_at }) => (
                <li key={user_id}>
                  <span className={classes.who}>
                    {full_name}
                    <span className={classes.muted}>
                      {t(`record.login_by.${method}`, { date: formatDate(created_at, zone) })}
                      {proof && ` · ${t(`record.proof.${proof}`)}`}
                    </span>
                  </span>
                  <Button variant="default" size="compact-sm" onClick={() => setLoginToUnlink(user_id)}>
                    {t("record.untie")}
                  </Button>
                </li>
              ))}
            </ul>
          )
        }
      </QueryBoundary>
      <IssuedCodes patientId={patientId} zone={zone} />
      <ClaimCodeIssuer patientId={patientId} zone={zone} />
      {loginToUnlink && (
        <ConfirmDialog
          title={t("record.untie_title")}
          confirmLabel={t("record.untie")}
          onConfirm={async () => {
            await unlinkLogin(patientId, loginToUnlink);
            await queryClient.invalidateQueries({ queryKey: key });
          }}
          onClose={() => setLoginToUnlink(null)}
        >
          <p>{t("record.untie_text")}</p>
        </ConfirmDialog>
      )}
    </Card>
  );
}

const codesQuery = (patientId: string) => ({
  queryKey: ["patients", patientId, "claim_codes"],
  queryFn: () => listClaimCodes(patientId),
});

/** The codes that were given out, and who failed with them; the codes themselves are not kept. */
function IssuedCodes({ patientId, zone }: LoginsProps) {
  const t = useTranslation();
  const query = useQuery(codesQuery(patientId));
  return (
    <QueryBoundary query={query}>
      {(codes) =>
        codes.length > 0 && (
          <>
            <h3 className={classes.sub}>{t("record.codes")}</h3>
            <ul className={classes.list}>
              {codes.map((code) => (
                <li key={code.issued_at} className={classes.block}>
                  {t(`record.code_state.${code.state}`)}
                  <span className={classes.muted}>
                    {t("record.code_issued", { time: formatDateTime(code.issued_at, zone), name: code.issued_by.name })}
                  </span>
                  {code.last_failed_at && (
                    <span className={classes.failed}>
                      {t("record.code_failed", { n: code.failed_attempts, time: formatDateTime(code.last_failed_at, zone) })}
                    </span>
                  )}
                </li>
              ))}
            </ul>
          </>
        )
      }
    </QueryBoundary>
  );
}

/** Shown once and kept in memory only: anyone with the code can read the record. */
function ClaimCodeIssuer({ patientId, zone }: LoginsProps) {
  const t = useTranslation();
  const [state, setState] = useState<{ busy: boolean; error: unknown; claimCode: ClaimCode | null }>({
    busy: false,
    error: null,
    claimCode: null,
  });
  const queryClient = useQueryClient();
  const { offlineProps, offlineNotice } = useOfflineGuard();
  const issueCode = () => {
    setState({ busy: true, error: null, claimCode: null });
    withErrorMessages(issueClaimCode(patientId), { claim_proof_missing: t("record.proof_missing") }).then(
      (claimCode) => {
        setState({ busy: false, error: null, claimCode });
        void queryClient.invalidateQueries({ queryKey: codesQuery(patientId).queryKey });
      },
      (error: unknown) => setState({ busy: false, error, claimCode: null }),
    );
  };
  return (
    <>
      <ActionError error={state.error} />
      {offlineNotice}
      <Button variant="default" loading={state.busy} onClick={issueCode} {...offlineProps}>
        {t("record.new_code")}
      </Button>
      <p className={classes.muted}>{t("record.code_ends")}</p>
      {state.claimCode && (
        <Dialog title={t("record.code_title")} onClose={() => setState({ busy: false, error: null, claimCode: null })}>
          <p className={classes.code}>{state.claimCode.code}</p>
          <p>{t("record.code_text", { until: formatDateTime(state.claimCode.expires_at, zone) })}</p>
        </Dialog>
      )}
    </>
  );
}
