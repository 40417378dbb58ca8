// Gives a file in quarantine up: its bytes are deleted, the log stays.
import { Textarea } from "@mantine/core";
import { useState } from "react";
import { Confirm } from "../design/confirm.tsx";
import { useSay } from "../messages/index.ts";
import { discardUpload } from "./api.ts";

const MAX_REASON = 500;

export function Reject({ uploadId, onClose }: { uploadId: string; onClose: () => void }) {
  const say = useSay();
  const [reason, setReason] = useState("");
  return (
    <Confirm
      title={say("uploads.reject_title")}
      act={say("uploads.reject")}
      disabled={reason.trim() === ""}
      onConfirm={() => discardUpload(uploadId, reason.trim())}
      onClose={onClose}
    >
      <p>{say("uploads.reject_text")}</p>
      <Textarea
        label={say("uploads.reject_reason")}
        required
        maxLength={MAX_REASON}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </Confirm>
  );
}
