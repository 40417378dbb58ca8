// Dialog that begins an emergency access: what it means, the reason, and a second step first.
import { Button } from "@mantine/core";
import { useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { useIdempotencyKey } from "../devices/use-idempotency-key.ts";
import { readPatient } from "../patients/api.ts";
import { Problem, toProblem } from "../platform/api/problem.ts";
import { requestStepUp } from "../platform/api/step-up.ts";
import { Dialog } from "../platform/design/dialog.tsx";
import { Form } from "../platform/design/form.tsx";
import layout from "../platform/design/layout.module.css";
import { t, useTranslation } from "../platform/messages/translate.ts";
import { startAccess } from "./api.ts";
import classes from "./emergency.module.css";
import { findReasonFault, ReasonField } from "./reason-field.tsx";

/** A refusal that lasts longer than the rate limit of a minute is the limit of the day. */
const DAY_LIMIT_FROM_MS = 120_000;

/** With what the person can do about it. */
function explain(error: unknown): Problem {
  const problem = toProblem(error);
  const { status, code, errorId, retryAfterMs } = problem;
  const say = (text: string, as = code) => new Problem(status, as, text, errorId);
  if (code === "conflict") return say(t("emergency.same_reason"));
  if (code === "not_found") return say(t("emergency.out_of_reach"));
  if (code === "rate_limited" && (retryAfterMs ?? 0) > DAY_LIMIT_FROM_MS) return say(t("emergency.day_limit"), "day_limit");
  return problem;
}

type StartDialogProps = {
  /** Id or number. */
  patient: string;
  /** The record is open now, or was so before. */
  onOpened: (patientId: string) => void;
  onClose: () => void;
};

export function StartDialog({ patient, onOpened, onClose }: StartDialogProps) {
  const t = useTranslation();
  const { is_enrolled } = useMe().second_step;
  const getKey = useIdempotencyKey();
  const [reason, setReason] = useState("");
  const [secondStep, setSecondStep] = useState<"ask" | "done" | "refused">("ask");
  const [openId, setOpenId] = useState<string | null>(null);

  async function start(): Promise<void> {
    if (is_enrolled && secondStep === "ask") {
      const isDone = await requestStepUp("second_step", performance.now());
      setSecondStep(isDone ? "done" : "refused");
      if (!isDone) return;
    }
    const request = { patient_id: patient, reason: reason.trim() };
    try {
      onOpened((await startAccess(request, getKey(request))).patient_id);
    } catch (error) {
      // The record may be open already, by the role or by an earlier access.
      const open = toProblem(error).code === "conflict" ? await readPatient(patient).catch(() => null) : null;
      if (open) setOpenId(open.data.patient_id);
      else throw explain(error);
    }
  }
  if (openId !== null) return <AlreadyOpen onOpen={() => onOpened(openId)} onClose={onClose} />;
  const isRefused = secondStep === "refused";
  return (
    <Dialog title={t("emergency.title")} onClose={onClose} wide>
      <Warning isEnrolled={is_enrolled} />
      {isRefused && (
        <div className={classes.notice} role="alert">
          <p>{t("emergency.no_second_step")}</p>
          <Button variant="default" size="compact-sm" onClick={() => setSecondStep("ask")}>
            {t("emergency.with_second_step")}
          </Button>
        </div>
      )}
      <Form
        submitLabel={t(isRefused ? "emergency.start_without" : "emergency.start")}
        validate={() => findReasonFault(reason)}
        onSubmit={start}
        onCancel={onClose}
        labels={{ reason: t("emergency.reason") }}
      >
        {(field) => (
          <ReasonField
            {...field("reason")}
            label={t("emergency.reason")}
            hint={t("emergency.reason_hint")}
            value={reason}
            onChange={setReason}
          />
        )}
      </Form>
    </Dialog>
  );
}

function Warning({ isEnrolled }: { isEnrolled: boolean }) {
  const t = useTranslation();
  return (
    <div className={classes.warning}>
      <p>
        <strong>{t("emergency.warning")}</strong>
      </p>
      <ul>
        <li>{t("emergency.warning_scope")}</li>
        <li>{t("emergency.warning_recorded")}</li>
        <li>{t("emergency.warning_told")}</li>
        <li>{t("emergency.warning_review")}</li>
        <li>{t(isEnrolled ? "emergency.second_step_first" : "emergency.second_step_missing")}</li>
      </ul>
    </div>
  );
}

function AlreadyOpen({ onOpen, onClose }: { onOpen: () => void; onClose: () => void }) {
  const t = useTranslation();
  return (
    <Dialog title={t("emergency.title")} onClose={onClose}>
      <p role="alert">{t("emergency.already_open")}</p>
      <div className={layout.endActs}>
        <Button onClick={onOpen} data-autofocus>
          {t("emergency.open_record")}
        </Button>
      </div>
    </Dialog>
  );
}
