// Registration of patients: an account with a record of their own, to which a hospital's record can be added.
import { TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { joinBirthDate, NO_BIRTH_DATE } from "../../patients/identity/birth-date.ts";
import { BirthDateInput } from "../../patients/identity/birth-date-input.tsx";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { type FieldErrors, Form, validateRequired } from "../../platform/design/form.tsx";
import { Page } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { isAddress } from "../email/addresses.ts";
import { registerPatient } from "./invitation-api.ts";
import { LanguageButtons } from "./language-buttons.tsx";
import { isPasswordLongEnough, NewPasswordInput } from "./new-password-input.tsx";
import classes from "./session.module.css";

export function RegisterPage() {
  const t = useTranslation();
  return (
    <main className={classes.door}>
      <LanguageButtons />
      <Page title={t("session.register_title")}>
        <p>{t("session.register_text")}</p>
        <RegistrationForm />
        <p className={classes.other}>
          {t("session.have_patient_account")} <Link to="/login">{t("session.sign_in")}</Link>
        </p>
      </Page>
    </main>
  );
}

function RegistrationForm() {
  const t = useTranslation();
  const navigate = useNavigate();
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [birth, setBirth] = useState(NO_BIRTH_DATE);
  const [password, setPassword] = useState("");

  const validate = (): FieldErrors => ({
    ...(joinBirthDate(birth) === undefined && { date_of_birth: t("identity.date_wrong") }),
    ...(!isAddress(email) && { email: t("patients.email_wrong") }),
    ...(!isPasswordLongEnough(password) && { password: t("session.password_short") }),
    ...validateRequired({ full_name: name, email, password }),
  });
  async function register() {
    const born = joinBirthDate(birth);
    const registration = { email: email.trim(), password, full_name: name.trim(), ...(born && { date_of_birth: born }) };
    await withErrorMessages(registerPatient(registration), {
      weak_password: t("session.weak_password"),
      registration_refused: t("session.register_refused"),
    });
    await navigate({ to: "/me", replace: true });
  }
  return (
    <Form
      submitLabel={t("session.register")}
      validate={validate}
      onSubmit={register}
      labels={{
        full_name: t("session.full_name"),
        email: t("session.email"),
        date_of_birth: t("patients.date_of_birth"),
        password: t("session.password"),
      }}
    >
      {(field) => (
        <>
          <TextInput
            {...field("full_name")}
            label={t("session.full_name")}
            value={name}
            onChange={(event) => setName(event.target.value)}
            autoComplete="name"
            maxLength={200}
          />
          <BirthDateInput
            {...field("date_of_birth")}
            label={t("patients.date_of_birth")}
            description={t("session.register_birth_hint")}
            value={birth}
            onChange={setBirth}
          />
          <TextInput
            {...field("email")}
            label={t("session.email")}
            type="email"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
            autoComplete="username"
          />
          <NewPasswordInput {...field("password")} value={password} onChange={setPassword} />
        </>
      )}
    </Form>
  );
}
