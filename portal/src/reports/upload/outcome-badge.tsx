// What became of an upload: a word, and a colour beside it.
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import type { UploadOutcome } from "./api.ts";
import classes from "./uploads.module.css";

const TONE_BY_OUTCOME: Partial<Record<UploadOutcome, string>> = {
  stored: "good",
  assigned: "good",
  quarantined: "waits",
  awaiting: "waits",
  refused: "bad",
  failed: "bad",
  expired: "bad",
};

export function OutcomeBadge({ outcome }: { outcome: UploadOutcome }) {
  useTranslation();
  return (
    <span className={classes.outcome} data-tone={TONE_BY_OUTCOME[outcome]}>
      {translateCode("upload_outcome", outcome)}
    </span>
  );
}

/** Codes of the API in words; one that is new to us as it is. */
export const formatReason = (reason: string | null): string => (reason === null ? "—" : translateCode("upload_reason", reason));
