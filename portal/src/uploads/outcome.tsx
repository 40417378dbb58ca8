// What became of an upload: a word, and a colour beside it.
import { sayOf, useSay } from "../messages/index.ts";
import type { Outcome } from "./api.ts";
import classes from "./uploads.module.css";

const TONES: Partial<Record<Outcome, string>> = {
  stored: "good",
  assigned: "good",
  quarantined: "waits",
  awaiting: "waits",
  refused: "bad",
  failed: "bad",
  expired: "bad",
};

export function OutcomeBadge({ outcome }: { outcome: Outcome }) {
  useSay();
  return (
    <span className={classes.outcome} data-tone={TONES[outcome]}>
      {sayOf("upload_outcome", outcome)}
    </span>
  );
}

/** Codes of the API in words; one that is new to us as it is. */
export const reasonText = (reason: string | null): string => (reason === null ? "—" : sayOf("upload_reason", reason));
