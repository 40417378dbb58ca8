// What a person enters to share records without a request, its checks, and how it is sent.
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useIdempotencyKey } from "../devices/use-idempotency-key.ts";
import { withErrorMessages } from "../platform/api/problem.ts";
import { dayInZone } from "../platform/design/calendar-days.ts";
import type { FieldErrors } from "../platform/design/form.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { createOffer, type NewCode, shareRecords } from "./api.ts";
import type { ConsentKind } from "./consent-facts.tsx";
import { findDayFaults, NO_DAYS, requestLimits, type ScopeDays, toInstants } from "./scope-draft.ts";

/** The target that stands for any hospital. */
export const BY_CODE = "code";

export type ShareDraft = {
  /** A hospital's id, `BY_CODE`, or empty. */
  target: string;
  /** The record there that it is shared for, where there are several; else empty. */
  ownId: string;
  /** Empty: all staff who see the hospital's own record. */
  practitionerId: string;
  recordIds: readonly string[];
  kinds: readonly ConsentKind[];
  days: ScopeDays;
};

const EMPTY: ShareDraft = { target: "", ownId: "", practitionerId: "", recordIds: [], kinds: [], days: NO_DAYS };

export function useShareDraft() {
  const t = useTranslation();
  const [draft, setDraft] = useState(EMPTY);
  const today = dayInZone(Date.now());
  const limits = requestLimits(today);
  const { newCode, send } = useSendShare();
  /** @param isSeveral several records at the hospital are the person's, or of somebody whose guardian they are */
  function validate(isSeveral: boolean): FieldErrors {
    const faults = Object.entries(findDayFaults(draft.days, limits, today));
    return {
      ...(draft.target === "" && { hospital_id: t("common.required_choice") }),
      ...(isSeveral && draft.ownId === "" && { patient_id: t("common.required_choice") }),
      ...(draft.recordIds.length === 0 && { patient_ids: t("consents.fault.records") }),
      ...(draft.kinds.length === 0 && { kinds: t("consents.fault.kinds") }),
      ...Object.fromEntries(faults.map(([field, fault]) => [field, t(fault)])),
    };
  }
  const change = (part: Partial<ShareDraft>) => setDraft({ ...draft, ...part });
  return { draft, change, limits, validate, submit: () => send(draft), newCode };
}

/** `newCode` is shown once. */
function useSendShare() {
  const t = useTranslation();
  const navigate = useNavigate();
  const getKey = useIdempotencyKey();
  const [newCode, setNewCode] = useState<NewCode | null>(null);
  async function sendDraft({ target, ownId, practitionerId, recordIds, kinds, days }: ShareDraft): Promise<void> {
    const scope = { patient_ids: [...recordIds], kinds: [...kinds], ...toInstants(days) };
    if (target === BY_CODE) return setNewCode(await createOffer(scope));
    const share = {
      hospital_id: target,
      ...(ownId && { patient_id: ownId }),
      ...(practitionerId && { practitioner_id: practitionerId }),
      ...scope,
    };
    const consentId = await shareRecords(share, getKey(share));
    await navigate({ to: "/me/consents/$consentId", params: { consentId } });
  }
  const send = (draft: ShareDraft) =>
    withErrorMessages(sendDraft(draft), {
      conflict: t("consents.not_shareable"),
      recipient_ambiguous: t("consents.recipient_ambiguous"),
      recipient_unavailable: t("consents.recipient_gone"),
      limit_reached: t(draft.target === BY_CODE ? "consents.too_many_codes" : "consents.too_many_live"),
    });
  return { newCode, send };
}
