// Hospital page: details, members and wards.
import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { FactorPolicyCard } from "../../accounts/factors/factor-policy-card.tsx";
import { useMe } from "../../accounts/session/use-session.ts";
import { ReachCard } from "../../emergency/reach-card.tsx";
import { RequiredChannelsCard, UnreachableMembersCard } from "../../notifications/preferences/hospital-channels.tsx";
import { queryClient } from "../../platform/api/query-client.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { Dialog } from "../../platform/design/dialog.tsx";
import { formatCountry, formatDateTime } from "../../platform/design/format.ts";
import { Card, DescriptionList, Page } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { usePageZone } from "../../platform/design/screen-zone.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import { EscalationCard } from "../escalation/escalation-card.tsx";
import { Wards } from "../wards/wards.tsx";
import { changeHospital, type Hospital, type HospitalChange, SELF_CARE_HOSPITAL_ID } from "./api.ts";
import { HospitalForm } from "./hospital-form.tsx";
import { Members } from "./members.tsx";
import { StorageCard } from "./storage-card.tsx";
import { hospitalQuery } from "./use-hospitals.ts";

type VersionedHospital = { data: Hospital; etag: string };

export function HospitalPage() {
  const t = useTranslation();
  const { hospitalId } = useParams({ from: "/signed-in/admin/hospitals/$hospitalId" });
  const query = useQuery(hospitalQuery(hospitalId));
  return (
    <Page title={query.data?.data.name ?? t("hospitals.hospital")}>
      <QueryBoundary query={query}>{(versioned) => <HospitalDetails versioned={versioned} />}</QueryBoundary>
    </Page>
  );
}

function HospitalDetails({ versioned }: { versioned: VersionedHospital }) {
  const t = useTranslation();
  const { role } = useMe();
  const { data: hospital } = versioned;
  usePageZone(hospital.time_zone);
  const [dialog, setDialog] = useState<"edit" | "deactivate" | "reactivate" | null>(null);
  const closeDialog = () => setDialog(null);
  const isBuiltIn = hospital.hospital_id === SELF_CARE_HOSPITAL_ID;
  const isAdmin = role === "admin";

  async function saveChange(json: HospitalChange): Promise<void> {
    await changeHospital(hospital.hospital_id, versioned.etag, json).finally(() =>
      queryClient.invalidateQueries({ queryKey: hospitalQuery(hospital.hospital_id).queryKey }),
    );
    void queryClient.invalidateQueries({ queryKey: ["admin", "hospitals"] });
  }

  const actions = !isBuiltIn && (
    <div>
      <Button variant="default" onClick={() => setDialog("edit")} me="xs">
        {t("common.edit")}
      </Button>
      {isAdmin && hospital.is_active && (
        <Button variant="outline" color="red" onClick={() => setDialog("deactivate")}>
          {t("hospitals.deactivate")}
        </Button>
      )}
      {isAdmin && !hospital.is_active && <Button onClick={() => setDialog("reactivate")}>{t("hospitals.reactivate")}</Button>}
    </div>
  );
  return (
    <>
      <Card title={t("hospitals.facts")} actions={actions}>
        {isBuiltIn && <p>{t("hospitals.built_in")}</p>}
        <DescriptionList
          items={[
            [t("hospitals.state"), t(hospital.is_active ? "hospitals.state.active" : "hospitals.state.inactive")],
            [t("hospitals.time_zone"), hospital.time_zone],
            [t("hospitals.country"), hospital.country && formatCountry(hospital.country)],
            [t("hospitals.doctor_scope"), t(`hospitals.scope.${hospital.doctor_scope}`)],
            [t("hospitals.phone"), hospital.phone],
            [t("hospitals.email"), hospital.email],
            [t("hospitals.address"), hospital.address],
            [t("hospitals.created_at"), formatDateTime(hospital.created_at, hospital.time_zone)],
          ]}
        />
      </Card>
      <StorageCard hospitalId={hospital.hospital_id} />
      {!isBuiltIn && <EscalationCard hospital={hospital} />}
      {!isBuiltIn && <Wards hospital={hospital} />}
      {!isBuiltIn && <Members hospital={hospital} />}
      {!isBuiltIn && <FactorPolicyCard hospital={hospital} />}
      {!isBuiltIn && <ReachCard hospital={hospital} onSave={(emergency_reach) => saveChange({ emergency_reach })} />}
      {!isBuiltIn && <RequiredChannelsCard hospitalId={hospital.hospital_id} />}
      {!isBuiltIn && <UnreachableMembersCard hospitalId={hospital.hospital_id} />}
      {dialog === "edit" && (
        <Dialog title={t("common.edit")} onClose={closeDialog}>
          <HospitalForm
            hospital={hospital}
            submitLabel={t("common.save")}
            onCancel={closeDialog}
            onSubmit={async (input) => {
              await saveChange(input);
              closeDialog();
            }}
          />
        </Dialog>
      )}
      {dialog === "deactivate" && <DeactivateDialog hospital={hospital} saveChange={saveChange} onClose={closeDialog} />}
      {dialog === "reactivate" && (
        <ConfirmDialog
          title={t("hospitals.reactivate_title", { name: hospital.name })}
          confirmLabel={t("hospitals.reactivate")}
          isDangerous={false}
          onConfirm={() => saveChange({ is_active: true })}
          onClose={closeDialog}
        >
          <p>{t("hospitals.reactivate_text")}</p>
        </ConfirmDialog>
      )}
    </>
  );
}

type DeactivateDialogProps = { hospital: Hospital; saveChange: (json: HospitalChange) => Promise<void>; onClose: () => void };

function DeactivateDialog({ hospital, saveChange, onClose }: DeactivateDialogProps) {
  const t = useTranslation();
  const [typedName, setTypedName] = useState("");
  return (
    <ConfirmDialog
      title={t("hospitals.deactivate_title", { name: hospital.name })}
      confirmLabel={t("hospitals.deactivate")}
      disabled={typedName.trim().normalize() !== hospital.name.normalize()}
      onConfirm={() => saveChange({ is_active: false })}
      onClose={onClose}
    >
      <p>{t("hospitals.deactivate_text")}</p>
      <TextInput
        label={t("hospitals.name")}
        value={typedName}
        onChange={(event) => setTypedName(event.target.value)}
        autoComplete="off"
      />
    </ConfirmDialog>
  );
}
