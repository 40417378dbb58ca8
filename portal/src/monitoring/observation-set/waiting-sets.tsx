// Sets that are not sent: the count in the header, the list, and those of one patient on the pages of the record.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useMe } from "../../accounts/session/use-session.ts";
import { useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { patientQuery } from "../../patients/record/use-patient-record.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { Dialog } from "../../platform/design/dialog.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { type PlainMessageKey, useTranslation } from "../../platform/messages/translate.ts";
import { formatVital, vitalAbbreviation } from "../alerts/vital-format.ts";
import { useServerNow } from "../live/use-live.ts";
import { discardSet, sendAnyway } from "./outbox.ts";
import { describeRefusal } from "./refusal-text.ts";
import { useOutbox } from "./use-outbox.ts";
import { getWaitingState, type WaitingSet, type WaitingState } from "./waiting-set.ts";
import classes from "./waiting-sets.module.css";
import type { SetOfOther } from "./waiting-store.ts";

const STATE_TEXTS = {
  waiting: "set.state.waiting",
  ask: "set.state.ask",
  other_hospital: "set.state.other_hospital",
  refused: "set.refused.other",
} as const satisfies Record<WaitingState, PlainMessageKey>;

/** In the header of every page while something is not sent. */
export function WaitingSetsButton() {
  const t = useTranslation();
  const { sets, unreadable, others } = useOutbox();
  const [isOpen, setIsOpen] = useState(false);
  const count = sets.length + unreadable.length + others.length;
  if (count === 0) return null;
  return (
    <>
      <button type="button" className={classes.count} onClick={() => setIsOpen(true)}>
        <span aria-hidden="true">
          ⇡ <span className={classes.onPhone}>{count}</span>
        </span>
        <span className={classes.countText}>{t("set.waiting_count", { n: count })}</span>
      </button>
      {isOpen && (
        <Dialog title={t("set.waiting_title")} onClose={() => setIsOpen(false)} wide>
          <p>{t("set.waiting_text")}</p>
          <ul className={layout.list}>
            {sets.map((set) => (
              <li key={set.id} className={classes.item}>
                <PatientLink patientId={set.patientId} onOpen={() => setIsOpen(false)} />
                <WaitingSetRow set={set} onLeave={() => setIsOpen(false)} />
              </li>
            ))}
          </ul>
          <UnreadableSets ids={unreadable} />
          <SetsOfOthers sets={others.filter(({ isDeleted }) => !isDeleted)} />
          <SetsOfOthers sets={others.filter(({ isDeleted }) => isDeleted)} />
        </Dialog>
      )}
    </>
  );
}

function PatientLink({ patientId, onOpen }: { patientId: string; onOpen: () => void }) {
  const t = useTranslation();
  const { data } = useQuery(patientQuery(patientId));
  return (
    <Link to="/patients/$patientId" params={{ patientId }} onClick={onOpen}>
      {t("set.of_patient", { n: data?.data.patient_number ?? "…" })}
    </Link>
  );
}

/** A value that is not in the record must not be missed: above everything else of the patient. */
export function PatientWaitingSets({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const sets = useOutbox().sets.filter((set) => set.patientId === patientId);
  if (sets.length === 0) return null;
  return (
    <section className={classes.patient} aria-label={t("set.waiting_title")}>
      <ul className={layout.list}>
        {sets.map((set) => (
          <li key={set.id}>
            <WaitingSetRow set={set} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function WaitingSetRow({ set, onLeave }: { set: WaitingSet; onLeave?: () => void }) {
  const t = useTranslation();
  const { sendingId } = useOutbox();
  const { hospital } = useMe();
  const zone = useOwnTimeZone();
  const now = useServerNow(30_000);
  const [isDiscarding, setIsDiscarding] = useState(false);
  const navigate = useNavigate();
  const openForm = () => {
    onLeave?.();
    const params = { patientId: set.patientId };
    void navigate({ to: "/patients/$patientId/observations/new", params, search: { set: set.id } });
  };
  const state = getWaitingState(set, now, hospital?.id ?? null);
  const isSending = sendingId === set.id;
  const measured = formatDateTime(set.body.effective_at, zone);
  const stateText =
    state === "refused" && set.refusal
      ? t("set.state.refused", { detail: describeRefusal(set.refusal, t) })
      : t(isSending ? "set.state.sending" : STATE_TEXTS[state]);
  return (
    <div className={classes.row}>
      <div>
        <strong>{t("set.measured_at", { time: measured })}</strong>
        <p className={classes.state}>{describeValues(set)}</p>
        <p className={classes.state}>
          <span aria-hidden="true">{state === "waiting" ? "⇡" : "⚠"}</span> {stateText}
        </p>
      </div>
      <div className={layout.acts}>
        {(state === "waiting" || state === "ask") && (
          <Button variant="default" loading={isSending} onClick={() => void sendAnyway(set.id)}>
            {t("set.send_now")}
          </Button>
        )}
        {state === "refused" && (
          <Button variant="default" onClick={openForm}>
            {t("set.correct")}
          </Button>
        )}
        <Button variant="default" onClick={() => setIsDiscarding(true)}>
          {t("set.discard")}
        </Button>
      </div>
      {isDiscarding && (
        <ConfirmDialog
          title={t("set.discard_title", { time: measured })}
          confirmLabel={t("set.discard_act")}
          isMutation={false}
          onConfirm={() => discardSet(set.id)}
          onClose={() => setIsDiscarding(false)}
        >
          <p>{t("set.discard_text")}</p>
        </ConfirmDialog>
      )}
    </div>
  );
}

/** "RR 18 · SpO₂ 97" */
const describeValues = ({ body }: WaitingSet): string =>
  body.samples.map(({ code, value }) => `${vitalAbbreviation(code)} ${formatVital(code, value)}`).join(" · ");

function UnreadableSets({ ids }: { ids: readonly string[] }) {
  const t = useTranslation();
  if (ids.length === 0) return null;
  return (
    <div className={classes.row}>
      <p className={classes.state}>{t("set.unreadable", { n: ids.length })}</p>
      <Button variant="default" onClick={() => void Promise.all(ids.map(discardSet))}>
        {t("set.discard_act")}
      </Button>
    </div>
  );
}

/** Of people whose sessions expired: that they exist and their times, not what they contain. */
function SetsOfOthers({ sets }: { sets: readonly SetOfOther[] }) {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const [isDiscarding, setIsDiscarding] = useState(false);
  const [first] = sets;
  if (!first) return null;
  const n = sets.length;
  const discard = async () => {
    await Promise.all(sets.map(({ id }) => discardSet(id)));
  };
  const times = sets
    .map(({ measuredAt }) =>
      measuredAt === null ? t("set.time_unknown") : formatDateTime(new Date(measuredAt).toISOString(), zone),
    )
    .join(", ");
  return (
    <div className={classes.row}>
      <p className={classes.state}>{t(first.isDeleted ? "set.others_deleted" : "set.others_kept", { n, times })}</p>
      <Button variant="default" onClick={() => (first.isDeleted ? void discard() : setIsDiscarding(true))}>
        {t(first.isDeleted ? "set.discard_act" : "set.discard")}
      </Button>
      {isDiscarding && (
        <ConfirmDialog
          title={t("set.others_discard_title", { n })}
          confirmLabel={t("set.discard_act")}
          isMutation={false}
          onConfirm={discard}
          onClose={() => setIsDiscarding(false)}
        >
          <p>{t("set.others_discard_text")}</p>
        </ConfirmDialog>
      )}
    </div>
  );
}
