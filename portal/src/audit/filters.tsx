// Filters of the trail, all of them in the address: it can be handed on.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useId, useState } from "react";
import layout from "../design/layout.module.css";
import { sayOf, useSay } from "../messages/index.ts";
import { OUTCOMES } from "./api.ts";
import classes from "./audit.module.css";

/** Frequent ones, to choose from; any other can be typed. */
const EVENTS = [
  "access.denied",
  "alert.list",
  "api_key.issue",
  "api_key.revoke",
  "audit.read",
  "device.create",
  "invitation.accept",
  "invitation.create",
  "login.failed",
  "login.locked",
  "login.success",
  "member.end",
  "member.set",
  "observation.amend",
  "patient.create",
  "patient.read",
  "patient.search",
  "patient.update",
  "report.create",
  "report.download",
  "report.list",
  "report.read",
  "report.refuse",
  "session.token_reuse",
  "upload.discard",
  "user.create",
  "user.password_reset",
  "user.unlock",
  "user.update",
];

/** As `<input type="date">` has it. */
export const isDay = (text: string | undefined): text is string =>
  text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function Filters() {
  const say = useSay();
  const search = useSearch({ from: "/house/admin/audit" });
  const navigate = useNavigate({ from: "/admin/audit" });
  const events = useId();
  const [input, setInput] = useState({
    actor: search.actor ?? "",
    action: search.action ?? "",
    patient: search.patient ?? "",
    from: search.from ?? "",
    to: search.to ?? "",
  });
  const [wrong, setWrong] = useState(false);
  const text = (name: keyof typeof input) => ({
    value: input[name],
    onChange: (event: { target: { value: string } }) => setInput({ ...input, [name]: event.target.value }),
  });
  function apply(event: FormEvent) {
    event.preventDefault();
    const patient = input.patient.trim();
    const bad = patient !== "" && !ID.test(patient);
    setWrong(bad);
    if (bad) return;
    const { actor, action, from, to } = input;
    const next = { ...search, actor: actor.trim(), action: action.trim(), patient, from, to };
    void navigate({ search: next, replace: true });
  }
  const isFiltered = Object.values(search).some(Boolean);
  return (
    <form onSubmit={apply} className={`${layout.filterForm} ${classes.filters}`} aria-label={say("common.filters")}>
      <TextInput label={say("audit.actor")} {...text("actor")} autoComplete="off" spellCheck={false} />
      <TextInput
        label={say("audit.action")}
        placeholder={say("audit.action_hint")}
        {...text("action")}
        list={events}
        autoComplete="off"
        spellCheck={false}
      />
      <datalist id={events}>
        {EVENTS.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <TextInput
        label={say("audit.patient")}
        {...text("patient")}
        error={wrong && say("audit.bad_id")}
        autoComplete="off"
        spellCheck={false}
      />
      <NativeSelect
        label={say("audit.outcome")}
        value={search.outcome ?? ""}
        onChange={(event) => void navigate({ search: { ...search, outcome: event.target.value }, replace: true })}
        data={[
          { value: "", label: say("audit.any_outcome") },
          ...OUTCOMES.map((outcome) => ({ value: outcome, label: sayOf("audit.outcome", outcome) })),
        ]}
      />
      <TextInput type="date" label={say("common.from")} {...text("from")} />
      <TextInput type="date" label={say("common.to")} {...text("to")} />
      <Button type="submit" variant="default">
        {say("audit.apply")}
      </Button>
      {isFiltered && (
        <Button variant="subtle" onClick={() => void navigate({ search: {}, replace: true })}>
          {say("common.clear_filters")}
        </Button>
      )}
    </form>
  );
}
