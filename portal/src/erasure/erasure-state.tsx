// The state of a request for erasure in words: for staff, and for the person of the record.
import { formatDate, formatDateTime } from "../platform/design/format.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import type { Erasure } from "./api.ts";

type ErasureStateProps = { erasure: Erasure; zone: string | undefined };

export function ErasureStateText({ erasure, zone }: ErasureStateProps) {
  const t = useTranslation();
  const { state, waits_for, erase_on, decided_at, erased_at, failures, last_failure, retry_at } = erasure;
  const date = (at: string | null) => (at === null ? t("common.unknown") : formatDate(at, zone));
  if (state === "requested") return t("erasure.is_requested");
  if (state === "rejected") return t("erasure.is_rejected", { date: date(decided_at) });
  if (last_failure !== null) {
    const time = retry_at === null ? t("common.unknown") : formatDateTime(retry_at, zone);
    return t(last_failure === "reference" ? "erasure.is_held_up" : "erasure.is_failing", { count: failures, time });
  }
  if (state === "erasing") return t("erasure.is_erasing");
  if (state === "erased") return t("erasure.is_erased", { date: date(erased_at) });
  if (waits_for === "legal_hold") return t("erasure.is_held", { date: date(erase_on) });
  return t(waits_for === "retention" ? "erasure.is_restricted" : "erasure.is_due", { date: date(erase_on) });
}

/** In plain words, for the person of the record. */
export function OwnErasureStateText({ erasure, zone }: ErasureStateProps) {
  const t = useTranslation();
  const { state, waits_for, erase_on, requested_at, decided_at, erased_at } = erasure;
  const date = (at: string | null) => (at === null ? t("common.unknown") : formatDate(at, zone));
  if (state === "requested") return t("erasure.my_requested", { date: date(requested_at) });
  if (state === "rejected") return t("erasure.my_rejected", { date: date(decided_at) });
  if (state === "erasing") return t("erasure.my_erasing");
  if (state === "erased") return t("erasure.my_erased", { date: date(erased_at) });
  if (waits_for === "legal_hold") return t("erasure.my_held", { date: date(erase_on) });
  return t(waits_for === "retention" ? "erasure.my_restricted" : "erasure.my_due", { date: date(erase_on) });
}
