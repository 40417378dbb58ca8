// A person's question to the hospital about a guardianship over them: the button, its dialog, and the answer.
import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "../platform/messages/translate.ts";
import { AskDialog, AskedQuestion } from "./access-question.tsx";
import { askAboutGuardianship, useOwnQuestions } from "./api.ts";

type GuardianQuestionProps = { guardianshipId: string; name: string; canAsk: boolean };

export function GuardianQuestion({ guardianshipId, name, canAsk }: GuardianQuestionProps) {
  const t = useTranslation();
  const [isAsking, setIsAsking] = useState(false);
  const { data } = useOwnQuestions();
  const asked = data?.items.find(({ guardianship_id }) => guardianship_id === guardianshipId);
  if (asked) return <AskedQuestion question={asked} zone={undefined} />;
  if (!canAsk || !data) return null;
  return (
    <>
      <Button variant="default" onClick={() => setIsAsking(true)} aria-label={t("privacy.ask_about_guardian", { name })}>
        {t("privacy.ask_hospital")}…
      </Button>
      {isAsking && (
        <AskDialog
          title={t("privacy.ask_about_guardian", { name })}
          intro={t("privacy.ask_guardian_text")}
          hint={t("privacy.ask_guardian_hint")}
          send={(text) => askAboutGuardianship(guardianshipId, text)}
          onClose={() => setIsAsking(false)}
        />
      )}
    </>
  );
}
