// Dialog for requests that need a recent sign-in: one for all that wait.
import { Button, Group } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type StepUp, settleStepUp } from "../../platform/api/step-up.ts";
import { Dialog } from "../../platform/design/dialog.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { reloadMe } from "../session/session.ts";
import { useMe } from "../session/use-session.ts";
import { readStepUpOptions, stepUp } from "./api.ts";
import { FactorAnswerForm } from "./factor-answer-form.tsx";
import { SECURITY_PATH } from "./second-step-due.ts";
import type { FactorAnswer } from "./sign-in-api.ts";

/** The service accepts a challenge for five minutes. */
const RENEW_OPTIONS_MS = 4 * 60_000;

export function StepUpDialog({ required }: { required: StepUp }) {
  const t = useTranslation();
  const query = useQuery({
    queryKey: ["account", "step-up", "options"],
    queryFn: readStepUpOptions,
    gcTime: 0,
    staleTime: 0,
    refetchOnWindowFocus: false,
    refetchInterval: RENEW_OPTIONS_MS,
  });
  const cancel = () => settleStepUp(false);
  return (
    <Dialog title={t("factors.step_up")} onClose={cancel} isStepUp>
      <QueryBoundary query={query}>
        {({ methods, passkey_options }) =>
          required === "second_step" && methods.includes("password") ? (
            <NoSecondStep onClose={cancel} />
          ) : (
            <>
              <p>{t(methods.includes("password") ? "factors.step_up_password" : "factors.step_up_text")}</p>
              <StepUpForm methods={methods} passkeyOptions={passkey_options} />
            </>
          )
        }
      </QueryBoundary>
    </Dialog>
  );
}

function StepUpForm(offered: Pick<Parameters<typeof FactorAnswerForm>[0], "methods" | "passkeyOptions">) {
  const t = useTranslation();
  const { second_step } = useMe();
  const prove = async (answer: FactorAnswer) => {
    await stepUp(answer);
    // The session has its second step even if it cannot be read again now.
    if (!("password" in answer) && !second_step.is_done) await reloadMe().catch(() => undefined);
    settleStepUp(true);
  };
  return (
    <FactorAnswerForm
      {...offered}
      submitLabel={t("factors.continue")}
      cancelLabel={t("common.cancel")}
      onAnswer={prove}
      onCancel={() => settleStepUp(false)}
    />
  );
}

/** For what no password allows. */
function NoSecondStep({ onClose }: { onClose: () => void }) {
  const t = useTranslation();
  const navigate = useNavigate();
  const openSecurity = () => {
    onClose();
    void navigate({ to: SECURITY_PATH });
  };
  return (
    <>
      <p>{t("factors.step_up_needs_factor")}</p>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {t("common.cancel")}
        </Button>
        <Button onClick={openSecurity}>{t("factors.title")}</Button>
      </Group>
    </>
  );
}
