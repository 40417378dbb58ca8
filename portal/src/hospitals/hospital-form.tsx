// What a hospital is called, where it is, its zone, and whom its doctors see.
import { NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useId, useState } from "react";
import { type FieldErrors, Form, requiredIn } from "../design/form.tsx";
import { useSay } from "../messages/index.ts";
import type { Hospital } from "./api.ts";

type Input = {
  name: string;
  time_zone: string;
  doctor_scope: Hospital["doctor_scope"];
  phone: string | null;
  email: string | null;
  address: string | null;
};
type HospitalFormProps = {
  hospital?: Hospital;
  submit: string;
  onSubmit: (input: Input) => Promise<unknown>;
  onCancel: () => void;
};

const ZONES = Intl.supportedValuesOf("timeZone");

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }) !== null;
  } catch {
    return false;
  }
}

export function HospitalForm({ hospital, submit, onSubmit, onCancel }: HospitalFormProps) {
  const say = useSay();
  const zones = useId();
  const [input, setInput] = useState({
    name: hospital?.name ?? "",
    time_zone: hospital?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    doctor_scope: hospital?.doctor_scope ?? ("care_team" as const),
    phone: hospital?.phone ?? "",
    email: hospital?.email ?? "",
    address: hospital?.address ?? "",
  });
  const set = (change: Partial<typeof input>) => setInput({ ...input, ...change });
  const { name, time_zone, doctor_scope, phone, email, address } = input;
  const check = (): FieldErrors => ({
    ...(!isZone(time_zone.trim()) && { time_zone: say("hospitals.bad_zone") }),
    ...requiredIn({ name, time_zone }),
  });
  const orNull = (text: string) => text.trim() || null;
  return (
    <Form
      submit={submit}
      check={check}
      onCancel={onCancel}
      onSubmit={() =>
        onSubmit({
          name: name.trim(),
          time_zone: time_zone.trim(),
          doctor_scope,
          phone: orNull(phone),
          email: orNull(email),
          address: orNull(address),
        })
      }
      labels={{
        name: say("hospitals.name"),
        time_zone: say("hospitals.time_zone"),
        phone: say("hospitals.phone"),
        email: say("hospitals.email"),
        address: say("hospitals.address"),
      }}
    >
      {(field) => (
        <>
          <TextInput
            {...field("name")}
            label={say("hospitals.name")}
            value={name}
            onChange={(event) => set({ name: event.target.value })}
            data-autofocus
          />
          <TextInput
            {...field("time_zone")}
            label={say("hospitals.time_zone")}
            description={say("hospitals.time_zone_hint")}
            value={time_zone}
            onChange={(event) => set({ time_zone: event.target.value })}
            list={zones}
          />
          <datalist id={zones}>
            {ZONES.map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
          <NativeSelect
            {...field("doctor_scope")}
            label={say("hospitals.doctor_scope")}
            value={doctor_scope}
            onChange={(event) => set({ doctor_scope: event.target.value === "hospital" ? "hospital" : "care_team" })}
            data={[
              { value: "care_team", label: say("hospitals.scope.care_team") },
              { value: "hospital", label: say("hospitals.scope.hospital") },
            ]}
          />
          <TextInput
            {...field("phone")}
            type="tel"
            label={say("hospitals.phone")}
            value={phone}
            onChange={(event) => set({ phone: event.target.value })}
          />
          <TextInput
            {...field("email")}
            type="email"
            label={say("hospitals.email")}
            value={email}
            onChange={(event) => set({ email: event.target.value })}
          />
          <Textarea
            {...field("address")}
            label={say("hospitals.address")}
            value={address}
            onChange={(event) => set({ address: event.target.value })}
            rows={3}
          />
        </>
      )}
    </Form>
  );
}
