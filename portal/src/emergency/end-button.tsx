// Ends an own emergency access before its time.
import { Button } from "@mantine/core";
import { useState } from "react";
import { toProblem } from "../platform/api/problem.ts";
import { ConfirmDialog } from "../platform/design/confirm-dialog.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { type EmergencyAccess, endAccess } from "./api.ts";

type EndButtonProps = { access: EmergencyAccess; onEnded: (access: EmergencyAccess) => void };

export function EndButton({ access, onEnded }: EndButtonProps) {
  const t = useTranslation();
  const [isAsking, setIsAsking] = useState(false);
  async function end(): Promise<void> {
    const ended = await endAccess(access.emergency_access_id).catch((error: unknown) => {
      // It ended meanwhile, which is what was asked for.
      if (toProblem(error).code === "conflict") return { ...access, status: "ended" as const };
      throw error;
    });
    onEnded(ended);
  }
  return (
    <>
      <Button variant="default" size="compact-md" onClick={() => setIsAsking(true)}>
        {t("emergency.end")}
      </Button>
      {isAsking && (
        <ConfirmDialog
          title={t("emergency.end_title")}
          confirmLabel={t("emergency.end")}
          isDangerous={false}
          onConfirm={end}
          onClose={() => setIsAsking(false)}
        >
          <p>{t("emergency.end_text")}</p>
        </ConfirmDialog>
      )}
    </>
  );
}
