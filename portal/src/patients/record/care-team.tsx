// Care team of a patient; for doctors, membership may be a condition of access.
import { Button, NativeSelect } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useMe } from "../../accounts/session/use-session.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { formatDate } from "../../platform/design/format.ts";
import { Card } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import classes from "./history.module.css";
import {
  addCareTeamMember,
  type CareTeamMember,
  careTeamQuery,
  listAssignableStaff,
  removeCareTeamMember,
} from "./record-api.ts";

type CareTeamProps = { patientId: string; hospitalId: string; zone: string | undefined; canChange: boolean };

export function CareTeam({ patientId, hospitalId, zone, canChange }: CareTeamProps) {
  const t = useTranslation();
  const queryClient = useQueryClient();
  const query = useQuery(careTeamQuery(patientId));
  const [memberToRemove, setMemberToRemove] = useState<CareTeamMember | null>(null);
  const reloadTeam = () => queryClient.invalidateQueries({ queryKey: careTeamQuery(patientId).queryKey });
  return (
    <Card title={t("record.team")}>
      <QueryBoundary query={query}>
        {(members) => (
          <>
            {members.length === 0 && <p>{t("record.no_team")}</p>}
            <ul className={classes.list}>
              {members.map((member) => (
                <li key={member.user_id}>
                  <span className={classes.who}>
                    {member.full_name}
                    <span className={classes.muted}>
                      {member.role && `${translateCode("role", member.role)} · `}
                      {t("record.since", { date: formatDate(member.since, zone) })}
                    </span>
                  </span>
                  {canChange && (
                    <Button
                      variant="default"
                      size="compact-sm"
                      aria-label={t("record.remove_member", { name: member.full_name })}
                      onClick={() => setMemberToRemove(member)}
                    >
                      {t("record.remove")}
                    </Button>
                  )}
                </li>
              ))}
            </ul>
            {canChange && <AddMemberForm patientId={patientId} hospitalId={hospitalId} members={members} onDone={reloadTeam} />}
          </>
        )}
      </QueryBoundary>
      {memberToRemove && (
        <ConfirmDialog
          title={t("record.remove_member", { name: memberToRemove.full_name })}
          confirmLabel={t("record.remove")}
          onConfirm={async () => {
            await removeCareTeamMember(patientId, memberToRemove.user_id);
            await reloadTeam();
          }}
          onClose={() => setMemberToRemove(null)}
        >
          <p>{t("record.remove_text")}</p>
        </ConfirmDialog>
      )}
    </Card>
  );
}

type AddMemberProps = { patientId: string; hospitalId: string; members: readonly CareTeamMember[]; onDone: () => Promise<void> };

function AddMemberForm({ patientId, hospitalId, members, onDone }: AddMemberProps) {
  const t = useTranslation();
  const { role } = useMe();
  const [selectedUserId, setSelectedUserId] = useState("");
  const query = useQuery({
    queryKey: ["practitioners", "of", hospitalId],
    queryFn: () => listAssignableStaff(role === "admin" ? hospitalId : null),
  });
  const others = (query.data?.items ?? []).filter(({ user_id }) => !members.some((member) => member.user_id === user_id));
  return (
    <Form
      submitLabel={t("record.add")}
      validate={(): FieldErrors => (selectedUserId === "" ? { user_id: t("common.required_choice") } : {})}
      onSubmit={async () => {
        await addCareTeamMember(patientId, selectedUserId);
        setSelectedUserId("");
        await onDone();
      }}
      labels={{ user_id: t("record.member") }}
    >
      {(field) => (
        <NativeSelect
          {...field("user_id")}
          label={t("record.add_member")}
          value={selectedUserId}
          onChange={(event) => setSelectedUserId(event.target.value)}
          data={[
            { value: "", label: t("record.member") },
            ...others.map(({ user_id, full_name, role: memberRole }) => ({
              value: user_id,
              label: memberRole ? `${full_name}, ${translateCode("role", memberRole)}` : full_name,
            })),
          ]}
        />
      )}
    </Form>
  );
}
