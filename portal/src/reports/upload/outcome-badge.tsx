// Badge with the outcome of an upload.
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

/** Translates API codes; unknown codes are shown as they are. */
export const formatReason = (reason: string | null): string => (reason === null ? "—" : translateCode("upload_reason", reason));
