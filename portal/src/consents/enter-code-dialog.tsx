// Dialog in which staff enters the code that a patient shows.
import { TextInput } from "@mantine/core";
import { useState } from "react";
import { withErrorMessages } from "../platform/api/problem.ts";
import { Dialog } from "../platform/design/dialog.tsx";
import { Form } from "../platform/design/form.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { announce } from "../shell/announcer.tsx";
import { redeemOffer } from "./api.ts";

const MAX_CODE_LENGTH = 40;

/** As the API takes it: twelve characters, separators aside. */
const isCode = (text: string): boolean => /^[a-z2-7]{12}$/.test(text.toLowerCase().replace(/[\s-]/g, ""));

export function EnterCodeDialog({ patientId, onClose }: { patientId: string; onClose: () => void }) {
  const t = useTranslation();
  const [code, setCode] = useState("");
  async function submit(): Promise<void> {
    await withErrorMessages(redeemOffer(code, patientId), {
      not_found: t("consents.code_wrong"),
      conflict: t("consents.code_not_for_record"),
    });
    announce(t("consents.granted_done"));
    onClose();
  }
  return (
    <Dialog title={t("consents.enter_code")} onClose={onClose}>
      <p>{t("consents.enter_code_text")}</p>
      <Form
        submitLabel={t("consents.use_code")}
        validate={() => ({ ...(!isCode(code) && { code: t("consents.code_shape") }) })}
        onSubmit={submit}
        onCancel={onClose}
        labels={{ code: t("consents.code") }}
      >
        {(field) => (
          <TextInput
            label={t("consents.code")}
            autoComplete="off"
            spellCheck={false}
            maxLength={MAX_CODE_LENGTH}
            value={code}
            onChange={({ currentTarget: { value } }) => setCode(value)}
            {...field("code")}
          />
        )}
      </Form>
    </Dialog>
  );
}
