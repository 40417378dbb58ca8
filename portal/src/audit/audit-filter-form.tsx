// Filters of the audit log. All are in the URL, so that a filtered view can be shared.
import { Button, Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useId, useState } from "react";
import { HospitalSelect } from "../organization/hospitals/hospital-select.tsx";
import layout from "../platform/design/layout.module.css";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { NO_HOSPITAL, OUTCOMES } from "./api.ts";
import classes from "./audit.module.css";

/** Frequent actions as suggestions; any other action can be typed. */
const COMMON_EVENTS = [
  "access.denied",
  "alert.list",
  "api_key.issue",
  "api_key.revoke",
  "audit.read",
  "device.create",
  "document.create",
  "document.download",
  "document.entered_in_error",
  "document.list",
  "document.read",
  "document.refuse",
  "document.replace",
  "emergency_access.end",
  "emergency_access.read",
  "emergency_access.start",
  "invitation.accept",
  "invitation.create",
  "login.failed",
  "login.locked",
  "login.success",
  "member.end",
  "member.set",
  "notice_delay.remove",
  "notice_delay.set",
  "observation.amend",
  "patient.create",
  "patient.read",
  "patient.search",
  "patient.update",
  "privacy_officer.add",
  "privacy_officer.remove",
  "privacy_question.create",
  "privacy_review.close",
  "privacy_review.read",
  "report.correct",
  "report.create",
  "report.download",
  "report.entered_in_error",
  "report.list",
  "report.moved_in",
  "report.moved_out",
  "report.read",
  "report.refuse",
  "session.token_reuse",
  "upload.discard",
  "user.create",
  "user.password_reset",
  "user.unlock",
  "user.update",
];

const UUID_PATTERN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function AuditFilterForm() {
  const t = useTranslation();
  const search = useSearch({ from: "/signed-in/admin/audit" });
  const navigate = useNavigate({ from: "/admin/audit" });
  const eventListId = useId();
  const [input, setInput] = useState({
    actor: search.actor ?? "",
    action: search.action ?? "",
    patient: search.patient ?? "",
    from: search.from ?? "",
    to: search.to ?? "",
  });
  const [isPatientIdInvalid, setIsPatientIdInvalid] = useState(false);
  const areDaysReversed = input.from !== "" && input.to !== "" && input.to < input.from;
  const fieldProps = (name: keyof typeof input) => ({
    value: input[name],
    onChange: (event: { target: { value: string } }) => setInput({ ...input, [name]: event.target.value }),
  });
  function apply(event: FormEvent) {
    event.preventDefault();
    const patient = input.patient.trim();
    const isInvalid = patient !== "" && !UUID_PATTERN.test(patient);
    setIsPatientIdInvalid(isInvalid);
    if (isInvalid || areDaysReversed) return;
    const { actor, action, from, to } = input;
    const next = { ...search, actor: actor.trim(), action: action.trim(), patient, from, to };
    void navigate({ search: next, replace: true });
  }
  const isFiltered = Object.values(search).some(Boolean);
  return (
    <form onSubmit={apply} className={`${layout.filterForm} ${classes.filters}`} aria-label={t("common.filters")}>
      <TextInput label={t("audit.actor")} {...fieldProps("actor")} autoComplete="off" spellCheck={false} />
      <TextInput
        label={t("audit.action")}
        placeholder={t("audit.action_hint")}
        {...fieldProps("action")}
        list={eventListId}
        autoComplete="off"
        spellCheck={false}
      />
      <datalist id={eventListId}>
        {COMMON_EVENTS.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <TextInput
        label={t("audit.patient")}
        {...fieldProps("patient")}
        error={isPatientIdInvalid && t("audit.bad_id")}
        autoComplete="off"
        spellCheck={false}
      />
      <HospitalSelect
        value={search.hospital ?? ""}
        emptyLabel={t("common.all")}
        others={[{ value: NO_HOSPITAL, label: t("audit.no_hospital_log") }]}
        onChange={(hospital) => void navigate({ search: { ...search, hospital }, replace: true })}
      />
      <NativeSelect
        label={t("audit.outcome")}
        value={search.outcome ?? ""}
        onChange={(event) => void navigate({ search: { ...search, outcome: event.target.value }, replace: true })}
        data={[
          { value: "", label: t("audit.any_outcome") },
          ...OUTCOMES.map((outcome) => ({ value: outcome, label: translateCode("audit.outcome", outcome) })),
        ]}
      />
      <TextInput type="date" label={t("common.from")} {...fieldProps("from")} />
      <TextInput
        type="date"
        label={t("common.to")}
        {...fieldProps("to")}
        min={input.from}
        error={areDaysReversed && t("audit.days_reversed")}
      />
      <Checkbox
        label={t("audit.abroad")}
        checked={search.abroad === "yes"}
        onChange={(event) => void navigate({ search: { ...search, abroad: event.target.checked ? "yes" : "" }, replace: true })}
      />
      <Button type="submit" variant="default">
        {t("audit.apply")}
      </Button>
      {isFiltered && (
        <Button variant="subtle" onClick={() => void navigate({ search: {}, replace: true })}>
          {t("common.clear_filters")}
        </Button>
      )}
    </form>
  );
}
