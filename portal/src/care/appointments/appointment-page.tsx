// One appointment, for staff and for the person, with the steps that each may take.
import { Button, Textarea } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { formatDateTime, formatShortTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { useOfflineGuard } from "../../platform/design/offline-guard.tsx";
import { Card, DescriptionList, Page } from "../../platform/design/page.tsx";
import { ActionError, QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { type Appointment, type Step, takeStep, useAppointment } from "./api.ts";

const OPEN: readonly Appointment["status"][] = ["proposed", "booked", "arrived"];

export function AppointmentPage() {
  const { appointmentId } = useParams({ from: "/signed-in/appointments/$appointmentId" });
  return <OneAppointment id={appointmentId} isOwn={false} />;
}

export function MyAppointmentPage() {
  const { appointmentId } = useParams({ from: "/signed-in/me/appointments/$appointmentId" });
  return <OneAppointment id={appointmentId} isOwn />;
}

function OneAppointment({ id, isOwn }: { id: string; isOwn: boolean }) {
  const t = useTranslation();
  const query = useAppointment(id);
  const patientId = query.data?.patient.patient_id;
  return (
    <Page title={t("appointments.one")}>
      <p>
        {isOwn ? (
          <Link to="/me/appointments">{t("appointments.back")}</Link>
        ) : (
          patientId && (
            <Link to="/patients/$patientId/appointments" params={{ patientId }}>
              {t("appointments.back")}
            </Link>
          )
        )}
      </p>
      <QueryBoundary query={query}>
        {(appointment) => (
          <Card>
            <Facts appointment={appointment} isOwn={isOwn} />
            <Steps key={appointment.version} appointment={appointment} isOwn={isOwn} />
          </Card>
        )}
      </QueryBoundary>
    </Page>
  );
}

type Shown = { appointment: Appointment; isOwn: boolean };

function Facts({ appointment, isOwn }: Shown) {
  const t = useTranslation();
  const { start, end, time_zone: zone, practitioner, patient, location, status, reason, notes } = appointment;
  const unreadable = t("appointments.unreadable");
  return (
    <>
      <DescriptionList
        items={[
          [t("appointments.when"), `${formatDateTime(start, zone)} – ${formatShortTime(end, zone)}`],
          ...(isOwn
            ? []
            : ([
                [
                  t("appointments.patient"),
                  `${patient.name ?? unreadable} · ${t("common.number", { n: patient.patient_number })}`,
                ],
              ] as const)),
          [t("appointments.with"), practitioner.name ?? unreadable],
          [t("appointments.where"), location?.name ?? appointment.hospital_name],
          [t("appointments.status"), t(`appointments.status.${status}`)],
          ...(reason === null ? [] : ([[t("appointments.reason"), reason]] as const)),
          ...(notes === null ? [] : ([[t("appointments.notes"), notes]] as const)),
        ]}
      />
      <Remarks appointment={appointment} />
    </>
  );
}

function Remarks({ appointment }: Pick<Shown, "appointment">) {
  const t = useTranslation();
  const { expires_at, cancel_reason, overbook_reason, changed_from, time_zone: zone } = appointment;
  const remarks = [
    expires_at && t("appointments.held_until", { at: formatDateTime(expires_at, zone) }),
    cancel_reason &&
      (cancel_reason === "expired" ? t("appointments.expired") : t("appointments.cancelled_because", { reason: cancel_reason })),
    overbook_reason && t("appointments.overbooked", { reason: overbook_reason }),
    changed_from && t("appointments.moved_from", { at: formatDateTime(changed_from, zone) }),
  ].filter((remark) => remark !== null && remark !== "");
  return remarks.map((remark) => <p key={remark}>{remark}</p>);
}

function Steps({ appointment, isOwn }: Shown) {
  const t = useTranslation();
  const [isCancelling, setIsCancelling] = useState(false);
  const [state, setState] = useState<{ busy: Step["name"] | null; error: unknown }>({ busy: null, error: null });
  const { offlineProps, offlineNotice } = useOfflineGuard(true);
  const { appointment_id: id, status, booked_by } = appointment;
  if (!OPEN.includes(status)) return null;
  const mayConfirm = status === "proposed" && (!isOwn || booked_by === "waiting_list");
  const take = (step: Step) => {
    setState({ busy: step.name, error: null });
    takeStep(id, step).then(
      () => setState({ busy: null, error: null }),
      (error: unknown) => setState({ busy: null, error }),
    );
  };
  return (
    <>
      <ActionError error={state.error} />
      {offlineNotice}
      <div className={layout.acts}>
        {mayConfirm && (
          <Button loading={state.busy === "confirm"} onClick={() => take({ name: "confirm" })} {...offlineProps}>
            {t("appointments.confirm")}
          </Button>
        )}
        {!isOwn && status === "booked" && (
          <Button
            variant="default"
            loading={state.busy === "no-show"}
            onClick={() => take({ name: "no-show" })}
            {...offlineProps}
          >
            {t("appointments.no_show")}
          </Button>
        )}
        <Button variant="default" color="red" onClick={() => setIsCancelling(true)}>
          {t("appointments.cancel")}…
        </Button>
      </div>
      {isCancelling && <CancelDialog id={id} isOwn={isOwn} onClose={() => setIsCancelling(false)} />}
    </>
  );
}

function CancelDialog({ id, isOwn, onClose }: { id: string; isOwn: boolean; onClose: () => void }) {
  const t = useTranslation();
  const [reason, setReason] = useState("");
  return (
    <ConfirmDialog
      title={t("appointments.cancel")}
      confirmLabel={t("appointments.cancel")}
      onConfirm={() => takeStep(id, { name: "cancel", ...(reason.trim() && { reason: reason.trim() }) })}
      onClose={onClose}
    >
      <p>{t("appointments.cancel_text")}</p>
      <Textarea
        label={t("appointments.cancel_reason")}
        description={isOwn ? undefined : t("appointments.cancel_hint")}
        maxLength={500}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </ConfirmDialog>
  );
}
