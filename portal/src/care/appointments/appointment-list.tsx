// The appointments of a record, and the form that books another one.
import { NativeSelect, Radio, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useIdempotencyKey } from "../../devices/use-idempotency-key.ts";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { type Column, DataTable } from "../../platform/design/data-table.tsx";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { formatDateTime, formatShortTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import { type Appointment, book, useAppointments, useBookable, useFreeTimes } from "./api.ts";
import { startOfDay, todayIn } from "./local-day.ts";

type Record = { patientId: string; hospitalId: string; zone: string | undefined };

export function Appointments({ isOwn, ...record }: Record & { isOwn: boolean }) {
  const t = useTranslation();
  const query = useAppointments(record.patientId);
  const { zone } = record;
  const columns: Column<Appointment>[] = [
    { label: t("appointments.when"), cell: ({ start }) => <time dateTime={start}>{formatDateTime(start, zone)}</time> },
    { label: t("appointments.with"), cell: ({ practitioner }) => practitioner.name ?? t("appointments.unreadable") },
    { label: t("appointments.where"), cell: ({ location, hospital_name }) => location?.name ?? hospital_name },
    { label: t("appointments.status"), cell: ({ status }) => t(`appointments.status.${status}`) },
    {
      label: t("appointments.one"),
      cell: ({ appointment_id: appointmentId, start }) => (
        <Link
          to={isOwn ? "/me/appointments/$appointmentId" : "/appointments/$appointmentId"}
          params={{ appointmentId }}
          aria-label={t("appointments.open_of", { at: formatDateTime(start, zone) })}
        >
          {t("appointments.open")}
        </Link>
      ),
    },
  ];
  return (
    <div className={layout.stack}>
      <DataTable
        label={t("appointments.title")}
        query={query}
        columns={columns}
        rowKey={({ appointment_id }) => appointment_id}
        empty={t("appointments.none")}
      />
      <Card title={t("appointments.book")}>
        <BookingForm {...record} />
      </Card>
    </div>
  );
}

function BookingForm({ patientId, hospitalId, zone }: Record) {
  const t = useTranslation();
  const getKey = useIdempotencyKey();
  const [draft, setDraft] = useState({ practitionerId: "", day: todayIn(zone), start: "", reason: "" });
  const practitioners = useBookable(hospitalId);
  const labels = {
    practitioner_id: t("appointments.practitioner"),
    start: t("appointments.time"),
    reason: t("appointments.reason"),
  };
  const validate = (): FieldErrors => (draft.start === "" ? { start: t("appointments.choose_time") } : {});
  async function submit(): Promise<void> {
    const json = {
      patient_id: patientId,
      practitioner_id: draft.practitionerId,
      start: draft.start,
      ...(draft.reason.trim() && { reason: draft.reason.trim() }),
    };
    const taken = t("appointments.taken");
    const { status } = await withErrorMessages(book(json, getKey(json)), { slot_taken: taken });
    setDraft({ ...draft, start: "", reason: "" });
    announce(t(status === "proposed" ? "appointments.requested" : "appointments.booked"));
  }
  return (
    <Form submitLabel={t("appointments.book_it")} validate={validate} onSubmit={submit} labels={labels}>
      {(field) => (
        <>
          <QueryBoundary query={practitioners}>
            {(items) => (
              <NativeSelect
                label={labels.practitioner_id}
                value={draft.practitionerId}
                onChange={({ currentTarget: { value } }) => setDraft({ ...draft, practitionerId: value, start: "" })}
                data={[
                  { value: "", label: t("appointments.choose") },
                  ...items.map(({ practitioner_id, full_name, specialty }) => ({
                    value: practitioner_id,
                    label: [full_name, specialty].filter(Boolean).join(" · "),
                  })),
                ]}
                {...field("practitioner_id")}
              />
            )}
          </QueryBoundary>
          <TextInput
            type="date"
            label={t("appointments.day")}
            min={todayIn(zone)}
            value={draft.day}
            onChange={({ currentTarget: { value } }) => setDraft({ ...draft, day: value, start: "" })}
          />
          {draft.practitionerId !== "" && (
            <FreeTimes
              practitionerId={draft.practitionerId}
              day={draft.day}
              zone={zone}
              value={draft.start}
              onChange={(start) => setDraft({ ...draft, start })}
              {...field("start")}
            />
          )}
          <TextInput
            label={labels.reason}
            maxLength={500}
            value={draft.reason}
            onChange={({ currentTarget: { value } }) => setDraft({ ...draft, reason: value })}
            {...field("reason")}
          />
        </>
      )}
    </Form>
  );
}

type TimesProps = {
  practitionerId: string;
  day: string;
  zone: string | undefined;
  value: string;
  onChange: (start: string) => void;
  id: string;
  error: string | undefined;
};

function FreeTimes({ practitionerId, day, zone, value, onChange, id, error }: TimesProps) {
  const t = useTranslation();
  const query = useFreeTimes(practitionerId, startOfDay(day, zone));
  return (
    <QueryBoundary query={query}>
      {(times) =>
        times.length === 0 ? (
          <p role="status">{t("appointments.no_times")}</p>
        ) : (
          <Radio.Group id={id} label={t("appointments.time")} value={value} onChange={onChange} error={error}>
            <div className={layout.acts}>
              {times.map(({ start }) => (
                <Radio key={start} value={start} label={formatShortTime(start, zone)} />
              ))}
            </div>
          </Radio.Group>
        )
      }
    </QueryBoundary>
  );
}
