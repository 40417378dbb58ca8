// Who looks after a patient; for doctors it is what lets them see the record.
import { Button, NativeSelect } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Confirm } from "../design/confirm.tsx";
import { type FieldErrors, Form } from "../design/form.tsx";
import { Card } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { date } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import classes from "./history.module.css";
import { addMember, listColleagues, listTeam, type Member, removeMember } from "./record-api.ts";

type CareTeamProps = { patientId: string; hospitalId: string; zone: string | undefined; mayChange: boolean };

export function CareTeam({ patientId, hospitalId, zone, mayChange }: CareTeamProps) {
  const say = useSay();
  const queries = useQueryClient();
  const key = ["patients", patientId, "care_team"];
  const query = useQuery({ queryKey: key, queryFn: () => listTeam(patientId) });
  const [leaving, setLeaving] = useState<Member | null>(null);
  const again = () => queries.invalidateQueries({ queryKey: key });
  return (
    <Card title={say("record.team")}>
      <Query query={query}>
        {(members) => (
          <>
            {members.length === 0 && <p>{say("record.no_team")}</p>}
            <ul className={classes.list}>
              {members.map((member) => (
                <li key={member.user_id}>
                  <span className={classes.who}>
                    {member.full_name}
                    <span className={classes.muted}>
                      {member.role && `${sayOf("role", member.role)} · `}
                      {say("record.since", { date: date(member.since, zone) })}
                    </span>
                  </span>
                  {mayChange && (
                    <Button
                      variant="default"
                      size="compact-sm"
                      aria-label={say("record.remove_member", { name: member.full_name })}
                      onClick={() => setLeaving(member)}
                    >
                      {say("record.remove")}
                    </Button>
                  )}
                </li>
              ))}
            </ul>
            {mayChange && <AddMember patientId={patientId} hospitalId={hospitalId} members={members} onDone={again} />}
          </>
        )}
      </Query>
      {leaving && (
        <Confirm
          title={say("record.remove_member", { name: leaving.full_name })}
          act={say("record.remove")}
          onConfirm={async () => {
            await removeMember(patientId, leaving.user_id);
            await again();
          }}
          onClose={() => setLeaving(null)}
        >
          <p>{say("record.remove_text")}</p>
        </Confirm>
      )}
    </Card>
  );
}

type AddMemberProps = { patientId: string; hospitalId: string; members: readonly Member[]; onDone: () => Promise<void> };

function AddMember({ patientId, hospitalId, members, onDone }: AddMemberProps) {
  const say = useSay();
  const { role } = useMe();
  const [chosen, setChosen] = useState("");
  const query = useQuery({
    queryKey: ["practitioners", "of", hospitalId],
    queryFn: () => listColleagues(role === "admin" ? hospitalId : null),
  });
  const others = (query.data?.items ?? []).filter(({ user_id }) => !members.some((member) => member.user_id === user_id));
  return (
    <Form
      submit={say("record.add")}
      check={(): FieldErrors => (chosen === "" ? { user_id: say("common.required_choice") } : {})}
      onSubmit={async () => {
        await addMember(patientId, chosen);
        setChosen("");
        await onDone();
      }}
      labels={{ user_id: say("record.member") }}
    >
      {(field) => (
        <NativeSelect
          {...field("user_id")}
          label={say("record.add_member")}
          value={chosen}
          onChange={(event) => setChosen(event.target.value)}
          data={[
            { value: "", label: say("record.member") },
            ...others.map(({ user_id, full_name, role: as }) => ({
              value: user_id,
              label: as ? `${full_name}, ${sayOf("role", as)}` : full_name,
            })),
          ]}
        />
      )}
    </Form>
  );
}
