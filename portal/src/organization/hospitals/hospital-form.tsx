// Form of a hospital: name, address, time zone, country and doctors' scope.
import { NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useId, useState } from "react";
import { type FieldErrors, Form, validateRequired } from "../../platform/design/form.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import type { Hospital } from "./api.ts";

type HospitalInput = {
  name: string;
  time_zone: string;
  country: string | null;
  doctor_scope: Hospital["doctor_scope"];
  phone: string | null;
  email: string | null;
  address: string | null;
};
type HospitalFormProps = {
  hospital?: Hospital;
  submitLabel: string;
  onSubmit: (input: HospitalInput) => Promise<unknown>;
  onCancel: () => void;
};

const TIME_ZONES = Intl.supportedValuesOf("timeZone");

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }) !== null;
  } catch {
    return false;
  }
}

export function HospitalForm({ hospital, submitLabel, onSubmit, onCancel }: HospitalFormProps) {
  const t = useTranslation();
  const zoneListId = useId();
  const [input, setInput] = useState({
    name: hospital?.name ?? "",
    time_zone: hospital?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    country: hospital ? (hospital.country ?? "") : (new Intl.Locale(navigator.language).region ?? ""),
    doctor_scope: hospital?.doctor_scope ?? ("care_team" as const),
    phone: hospital?.phone ?? "",
    email: hospital?.email ?? "",
    address: hospital?.address ?? "",
  });
  const updateInput = (change: Partial<typeof input>) => setInput({ ...input, ...change });
  const { name, time_zone, country, doctor_scope, phone, email, address } = input;
  const validate = (): FieldErrors => ({
    ...(!isZone(time_zone.trim()) && { time_zone: t("hospitals.bad_zone") }),
    ...validateRequired({ name, time_zone }),
  });
  const emptyToNull = (text: string) => text.trim() || null;
  return (
    <Form
      submitLabel={submitLabel}
      validate={validate}
      onCancel={onCancel}
      onSubmit={() =>
        onSubmit({
          name: name.trim(),
          time_zone: time_zone.trim(),
          country: emptyToNull(country)?.toUpperCase() ?? null,
          doctor_scope,
          phone: emptyToNull(phone),
          email: emptyToNull(email),
          address: emptyToNull(address),
        })
      }
      labels={{
        name: t("hospitals.name"),
        time_zone: t("hospitals.time_zone"),
        country: t("hospitals.country"),
        phone: t("hospitals.phone"),
        email: t("hospitals.email"),
        address: t("hospitals.address"),
      }}
    >
      {(field) => (
        <>
          <TextInput
            {...field("name")}
            label={t("hospitals.name")}
            value={name}
            onChange={(event) => updateInput({ name: event.target.value })}
            data-autofocus
          />
          <TextInput
            {...field("time_zone")}
            label={t("hospitals.time_zone")}
            description={t("hospitals.time_zone_hint")}
            value={time_zone}
            onChange={(event) => updateInput({ time_zone: event.target.value })}
            list={zoneListId}
          />
          <datalist id={zoneListId}>
            {TIME_ZONES.map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
          <TextInput
            {...field("country")}
            label={t("hospitals.country")}
            description={t("hospitals.country_hint")}
            value={country}
            onChange={(event) => updateInput({ country: event.target.value })}
            maxLength={2}
          />
          <NativeSelect
            {...field("doctor_scope")}
            label={t("hospitals.doctor_scope")}
            value={doctor_scope}
            onChange={(event) => updateInput({ doctor_scope: event.target.value === "hospital" ? "hospital" : "care_team" })}
            data={[
              { value: "care_team", label: t("hospitals.scope.care_team") },
              { value: "hospital", label: t("hospitals.scope.hospital") },
            ]}
          />
          <TextInput
            {...field("phone")}
            type="tel"
            label={t("hospitals.phone")}
            value={phone}
            onChange={(event) => updateInput({ phone: event.target.value })}
          />
          <TextInput
            {...field("email")}
            type="email"
            label={t("hospitals.email")}
            value={email}
            onChange={(event) => updateInput({ email: event.target.value })}
          />
          <Textarea
            {...field("address")}
            label={t("hospitals.address")}
            value={address}
            onChange={(event) => updateInput({ address: event.target.value })}
            rows={3}
          />
        </>
      )}
    </Form>
  );
}
