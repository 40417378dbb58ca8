// A person's page of guardians: who decides for them, for whom they decide, and the code that proves their presence to a hospital.
import { Button } from "@mantine/core";
import { useState } from "react";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { OneTimeSecretDialog } from "../../platform/design/one-time-secret-dialog.tsx";
import { Card, Page } from "../../platform/design/page.tsx";
import { ActionError } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { GuardianQuestion } from "../../privacy/guardian-question.tsx";
import { createGuardianCode, endGuardian, type Guardianship, type NewCode, useOwnGuardianships } from "./api.ts";
import { GuardianFacts, isOpen, StateBadge } from "./guardian-facts.tsx";
import { GuardianList } from "./guardian-list.tsx";

export function MyGuardiansPage() {
  const t = useTranslation();
  const [over, held] = [useOwnGuardianships("person"), useOwnGuardianships("guardian")];
  return (
    <Page title={t("guardians.mine")}>
      <p className={layout.muted}>{t("guardians.mine_text")}</p>
      <Card title={t("guardians.over_me")}>
        <GuardianList query={over} empty={t("guardians.none_over_me")}>
          {(one) => <OverMe guardianship={one} />}
        </GuardianList>
      </Card>
      <Card title={t("guardians.held")}>
        <GuardianList query={held} empty={t("guardians.none_held")}>
          {(one) => <Held guardianship={one} />}
        </GuardianList>
      </Card>
      <Card title={t("guardians.become")}>
        <p>{t("guardians.become_text")}</p>
        <CodeMaker />
      </Card>
    </Page>
  );
}

type GuardianshipProps = { guardianship: Guardianship };

function OverMe({ guardianship: one }: GuardianshipProps) {
  const t = useTranslation();
  return (
    <>
      <div className={layout.line}>
        <strong>{t("guardians.at", { name: one.guardian_name, hospital: one.hospital_name })}</strong>
        <StateBadge state={one.state} />
      </div>
      <GuardianFacts guardianship={one} />
      <div className={layout.acts}>
        {isOpen(one) && one.ground === "minor" && (
          <EndButton guardianship={one} label={t("guardians.end")} title={t("guardians.end_title", { name: one.guardian_name })}>
            {t("guardians.end_minor_text")}
          </EndButton>
        )}
        <GuardianQuestion guardianshipId={one.guardianship_id} name={one.guardian_name} canAsk={isOpen(one)} />
      </div>
    </>
  );
}

function Held({ guardianship: one }: GuardianshipProps) {
  const t = useTranslation();
  const name = one.patient_name ?? t("guardians.somebody");
  return (
    <>
      <div className={layout.line}>
        <strong>{t("guardians.at", { name, hospital: one.hospital_name })}</strong>
        <StateBadge state={one.state} />
      </div>
      <GuardianFacts guardianship={one} />
      {isOpen(one) && (
        <div className={layout.acts}>
          <EndButton guardianship={one} label={t("guardians.lay_down")} title={t("guardians.lay_down_title", { name })}>
            {t("guardians.lay_down_text")}
          </EndButton>
        </div>
      )}
    </>
  );
}

type EndButtonProps = GuardianshipProps & { label: string; title: string; children: string };

function EndButton({ guardianship, label, title, children }: EndButtonProps) {
  const t = useTranslation();
  const [isEnding, setIsEnding] = useState(false);
  const end = () =>
    withErrorMessages(endGuardian(guardianship.guardianship_id), {
      conflict: t("guardians.changed"),
      hospital_decides: t("guardians.hospital_decides"),
    });
  return (
    <>
      <Button variant="default" color="red" onClick={() => setIsEnding(true)} aria-label={title}>
        {label}…
      </Button>
      {isEnding && (
        <ConfirmDialog title={title} confirmLabel={label} onConfirm={end} onClose={() => setIsEnding(false)}>
          <p>{children}</p>
        </ConfirmDialog>
      )}
    </>
  );
}

/** The code is shown once; a new one replaces it. */
function CodeMaker() {
  const t = useTranslation();
  const [newCode, setNewCode] = useState<NewCode | null>(null);
  const [state, setState] = useState<{ isBusy: boolean; error: unknown }>({ isBusy: false, error: null });
  function create(): void {
    setState({ isBusy: true, error: null });
    createGuardianCode().then(
      (code) => {
        setState({ isBusy: false, error: null });
        setNewCode(code);
      },
      (error: unknown) => setState({ isBusy: false, error }),
    );
  }
  return (
    <>
      <ActionError error={state.error} />
      <div className={layout.acts}>
        <Button onClick={create} loading={state.isBusy}>
          {t("guardians.new_code")}
        </Button>
      </div>
      {newCode && (
        <OneTimeSecretDialog
          title={t("guardians.code_title")}
          label={t("guardians.code")}
          value={newCode.code}
          onClose={() => setNewCode(null)}
        >
          <p>{t("guardians.code_text", { until: formatDateTime(newCode.valid_until) })}</p>
        </OneTimeSecretDialog>
      )}
    </>
  );
}
