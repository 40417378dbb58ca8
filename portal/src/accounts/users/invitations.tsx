// List of invitations and their status.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useHospitalName } from "../../organization/hospitals/use-hospitals.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { type Column, CURSOR_PAGINATION, DataTable } from "../../platform/design/data-table.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import { Card } from "../../platform/design/page.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { useMe } from "../session/use-session.ts";
import { type Invitation, listInvitations, withdrawInvitation } from "./api.ts";

export function Invitations({ zone }: { zone: string | undefined }) {
  const t = useTranslation();
  const isAdmin = useMe().role === "admin";
  const getHospitalName = useHospitalName();
  const [invitationToWithdraw, setInvitationToWithdraw] = useState<Invitation | null>(null);
  const queryKey = ["admin", "invitations"];
  const query = useInfiniteQuery({ queryKey, queryFn: ({ pageParam }) => listInvitations(pageParam), ...CURSOR_PAGINATION });
  const hospitalColumn: Column<Invitation> = {
    label: t("hospitals.hospital"),
    cell: ({ hospital_id }) => getHospitalName(hospital_id),
  };
  const columns: Column<Invitation>[] = [
    {
      label: t("users.email"),
      cell: ({ email, full_name }) => (full_name ? `${full_name}, ${email}` : email),
    },
    { label: t("users.role"), cell: ({ role }) => translateCode("role", role) },
    ...(isAdmin ? [hospitalColumn] : []),
    { label: t("users.state"), cell: ({ state }) => translateCode("users.invitation_state", state) },
    { label: t("users.until"), cell: ({ expires_at }) => formatDateTime(expires_at, zone) },
    {
      label: t("common.edit"),
      align: "end",
      cell: (invitation) =>
        invitation.state === "open" && (
          <Button size="xs" variant="outline" color="red" onClick={() => setInvitationToWithdraw(invitation)}>
            {t("users.withdraw")}
          </Button>
        ),
    },
  ];
  return (
    <Card title={t("users.invitations")}>
      <DataTable
        label={t("users.invitations")}
        columns={columns}
        query={query}
        rowKey={({ invitation_id }) => invitation_id}
        empty={t("users.no_invitations")}
      />
      {invitationToWithdraw && (
        <ConfirmDialog
          title={t("users.withdraw_title", { email: invitationToWithdraw.email })}
          confirmLabel={t("users.withdraw")}
          onConfirm={() =>
            withdrawInvitation(invitationToWithdraw.invitation_id).finally(() => queryClient.invalidateQueries({ queryKey }))
          }
          onClose={() => setInvitationToWithdraw(null)}
        >
          <p>{t("users.withdraw_text")}</p>
        </ConfirmDialog>
      )}
    </Card>
  );
}
