// Who was invited, and what became of it.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { queries } from "../api/queries.ts";
import { Confirm } from "../design/confirm.tsx";
import { type Column, DataTable, PAGES } from "../design/data-table.tsx";
import { Card } from "../design/page.tsx";
import { dateTime } from "../design/time.ts";
import { useHospitalName } from "../hospitals/use-hospitals.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { type Invitation, listInvitations, withdraw } from "./api.ts";

export function Invitations({ zone }: { zone: string | undefined }) {
  const say = useSay();
  const isAdmin = useMe().role === "admin";
  const nameOfHospital = useHospitalName();
  const [leaving, setLeaving] = useState<Invitation | null>(null);
  const queryKey = ["admin", "invitations"];
  const query = useInfiniteQuery({ queryKey, queryFn: ({ pageParam }) => listInvitations(pageParam), ...PAGES });
  const where: Column<Invitation> = {
    label: say("hospitals.hospital"),
    cell: ({ hospital_id }) => nameOfHospital(hospital_id),
  };
  const columns: Column<Invitation>[] = [
    {
      label: say("users.email"),
      cell: ({ email, full_name }) => (full_name ? `${full_name}, ${email}` : email),
    },
    { label: say("users.role"), cell: ({ role }) => sayOf("role", role) },
    ...(isAdmin ? [where] : []),
    { label: say("users.state"), cell: ({ state }) => sayOf("users.invitation_state", state) },
    { label: say("users.until"), cell: ({ expires_at }) => dateTime(expires_at, zone) },
    {
      label: say("common.edit"),
      align: "end",
      cell: (invitation) =>
        invitation.state === "open" && (
          <Button size="xs" variant="outline" color="red" onClick={() => setLeaving(invitation)}>
            {say("users.withdraw")}
          </Button>
        ),
    },
  ];
  return (
    <Card title={say("users.invitations")}>
      <DataTable
        label={say("users.invitations")}
        columns={columns}
        query={query}
        keyOf={({ invitation_id }) => invitation_id}
        empty={say("users.no_invitations")}
      />
      {leaving && (
        <Confirm
          title={say("users.withdraw_title", { email: leaving.email })}
          act={say("users.withdraw")}
          onConfirm={() => withdraw(leaving.invitation_id).finally(() => queries.invalidateQueries({ queryKey }))}
          onClose={() => setLeaving(null)}
        >
          <p>{say("users.withdraw_text")}</p>
        </Confirm>
      )}
    </Card>
  );
}
