// Legal holds on records of patients, newest first.
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { useHospitalName, useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { type Column, DataTable } from "../platform/design/data-table.tsx";
import { formatDateTime } from "../platform/design/format.ts";
import { Card, Page } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { type Hold, useHolds } from "./api.ts";
import { ReleaseDialog } from "./hold-card.tsx";
import { StaffName } from "./staff-name.tsx";

export function HoldsPage() {
  const t = useTranslation();
  const [releasing, setReleasing] = useState<Hold | null>(null);
  const query = useHolds();
  return (
    <Page title={t("nav.holds")}>
      <p>{t("erasure.holds_text")}</p>
      <Card>
        <DataTable
          label={t("nav.holds")}
          columns={useColumns(setReleasing)}
          query={query}
          rowKey={({ hold_id }) => hold_id}
          empty={t("erasure.no_holds")}
        />
      </Card>
      {releasing && <ReleaseDialog patientId={releasing.patient_id} onClose={() => setReleasing(null)} />}
    </Page>
  );
}

function useColumns(release: (hold: Hold) => void): Column<Hold>[] {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const isAdmin = useMe().role === "admin";
  const getHospitalName = useHospitalName();
  return [
    { label: t("erasure.set_at"), cell: ({ set_at }) => formatDateTime(set_at, zone) },
    ...(isAdmin ? [{ label: t("hospitals.hospital"), cell: ({ hospital_id }: Hold) => getHospitalName(hospital_id) }] : []),
    {
      label: t("erasure.patient"),
      cell: ({ patient_id }) => (
        <Link to="/patients/$patientId" params={{ patientId: patient_id }}>
          {t("erasure.open_patient")}
        </Link>
      ),
    },
    { label: t("erasure.reason"), cell: ({ reason }) => reason },
    { label: t("erasure.set_by"), cell: ({ hospital_id, set_by }) => <StaffName hospitalId={hospital_id} userId={set_by} /> },
    {
      label: t("erasure.state"),
      cell: (hold) =>
        hold.released_at === null ? (
          <Button variant="default" size="compact-sm" onClick={() => release(hold)}>
            {t("erasure.release")}
          </Button>
        ) : (
          t("erasure.released", {
            date: formatDateTime(hold.released_at, zone),
            reason: hold.release_reason ?? t("common.unknown"),
          })
        ),
    },
  ];
}
