// Form that links a hospital record to the account: an access code, with the birth date or phone number that the hospital has.
import { NativeSelect, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { isWholeDate } from "../../../../src/platform/partial-date.ts";
import { reloadMe } from "../../accounts/session/session.ts";
import { Problem, toProblem } from "../../platform/api/problem.ts";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { type PlainMessageKey, useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import { joinBirthDate, NO_BIRTH_DATE } from "../identity/birth-date.ts";
import { BirthDateInput } from "../identity/birth-date-input.tsx";
import { toLatinDigits } from "../latin-digits.ts";
import { claimRecord } from "./api.ts";
import { setChosenRecord } from "./chosen-record.ts";
import classes from "./me.module.css";

const FIELD_MESSAGES: Record<string, PlainMessageKey> = {
  not_found: "me.claim.wrong",
  password_given: "me.claim.password_given",
};
const PROOFS = ["date_of_birth", "phone"] as const;

/** Normalised code as the API takes it: twelve characters without separators. */
const isClaimCode = (text: string) => /^[a-z2-7]{12}$/.test(text.toLowerCase().replace(/[\s-]/g, ""));

export function ClaimRecord() {
  const t = useTranslation();
  const queryClient = useQueryClient();
  const [code, setCode] = useState("");
  const [kind, setKind] = useState<(typeof PROOFS)[number]>("date_of_birth");
  const [birth, setBirth] = useState(NO_BIRTH_DATE);
  const [phone, setPhone] = useState("");
  const [isDone, setIsDone] = useState(false);
  const born = joinBirthDate(birth);
  const number = toLatinDigits(phone.trim());

  const validate = (): FieldErrors => ({
    ...(!isClaimCode(code) && { code: t("me.claim.shape") }),
    ...(kind === "date_of_birth" && !(born && isWholeDate(born)) && { date_of_birth: t("me.claim.whole_date") }),
    ...(kind === "phone" && !/^\+?[0-9][0-9 ().-]{4,24}$/.test(number) && { phone: t("patients.phone_wrong") }),
  });
  async function submitCode(): Promise<void> {
    setIsDone(false);
    const proof = kind === "date_of_birth" ? { date_of_birth: born ?? "" } : { phone: number };
    const { patient_id } = await claimRecord(code, proof).catch((error: unknown) => {
      const { status, code: problemCode, message, errorId } = toProblem(error);
      const messageKey = FIELD_MESSAGES[problemCode];
      throw messageKey
        ? new Problem(status, problemCode, message, errorId, [{ path: "code", message: t(messageKey), code: problemCode }])
        : error;
    });
    setCode("");
    setIsDone(true);
    // The page of the added record replaces this form.
    announce(t("me.claim.done"));
    // The record is linked even if the page cannot be refreshed now.
    void queryClient.invalidateQueries({ queryKey: ["me"] });
    reloadMe().catch(() => undefined);
    setChosenRecord(patient_id);
  }

  return (
    <div className={classes.form}>
      <Form
        submitLabel={t("me.claim.submit")}
        validate={validate}
        onSubmit={submitCode}
        labels={{ code: t("me.claim.code"), date_of_birth: t("patients.date_of_birth"), phone: t("patients.phone") }}
      >
        {(field) => (
          <>
            <TextInput
              {...field("code")}
              label={t("me.claim.code")}
              description={t("me.claim.hint")}
              value={code}
              onChange={(event) => setCode(event.target.value)}
              autoComplete="off"
              autoCapitalize="characters"
              spellCheck={false}
            />
            <NativeSelect
              label={t("me.claim.proof")}
              description={t("me.claim.proof_hint")}
              value={kind}
              onChange={(event) => setKind(PROOFS.find((proof) => proof === event.target.value) ?? "date_of_birth")}
              data={[
                { value: "date_of_birth", label: t("patients.date_of_birth") },
                { value: "phone", label: t("me.claim.by_phone") },
              ]}
            />
            {kind === "date_of_birth" ? (
              <BirthDateInput {...field("date_of_birth")} label={t("patients.date_of_birth")} value={birth} onChange={setBirth} />
            ) : (
              <TextInput
                {...field("phone")}
                label={t("patients.phone")}
                type="tel"
                value={phone}
                onChange={(event) => setPhone(event.target.value)}
                autoComplete="tel"
              />
            )}
          </>
        )}
      </Form>
      <p role="status">{isDone && t("me.claim.done")}</p>
    </div>
  );
}
