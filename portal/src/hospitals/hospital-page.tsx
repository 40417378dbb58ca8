// One hospital: what is known of it, who works there, its wards.
import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { queries } from "../api/queries.ts";
import { Confirm } from "../design/confirm.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Card, Facts, Page } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { dateTime } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { changeHospital, type Hospital, type HospitalChange, readHospital, SELF_CARE } from "./api.ts";
import { HospitalForm } from "./hospital-form.tsx";
import { Members } from "./members.tsx";
import { Wards } from "./wards.tsx";

type Read = { data: Hospital; etag: string };

export function HospitalPage() {
  const say = useSay();
  const { hospitalId } = useParams({ from: "/house/admin/hospitals/$hospitalId" });
  const query = useQuery({ queryKey: ["admin", "hospital", hospitalId], queryFn: () => readHospital(hospitalId) });
  return (
    <Page title={query.data?.data.name ?? say("hospitals.hospital")}>
      <Query query={query}>{(read) => <Known read={read} />}</Query>
    </Page>
  );
}

function Known({ read }: { read: Read }) {
  const say = useSay();
  const { role } = useMe();
  const { data: hospital } = read;
  const [open, setOpen] = useState<"edit" | "deactivate" | "reactivate" | null>(null);
  const close = () => setOpen(null);
  const builtIn = hospital.hospital_id === SELF_CARE;
  const isAdmin = role === "admin";

  async function change(json: HospitalChange): Promise<void> {
    await changeHospital(hospital.hospital_id, read.etag, json).finally(() =>
      queries.invalidateQueries({ queryKey: ["admin", "hospital", hospital.hospital_id] }),
    );
    void queries.invalidateQueries({ queryKey: ["admin", "hospitals"] });
  }

  const acts = !builtIn && (
    <div>
      <Button variant="default" onClick={() => setOpen("edit")} mr="xs">
        {say("common.edit")}
      </Button>
      {isAdmin && hospital.is_active && (
        <Button variant="outline" color="red" onClick={() => setOpen("deactivate")}>
          {say("hospitals.deactivate")}
        </Button>
      )}
      {isAdmin && !hospital.is_active && <Button onClick={() => setOpen("reactivate")}>{say("hospitals.reactivate")}</Button>}
    </div>
  );
  return (
    <>
      <Card title={say("hospitals.facts")} actions={acts}>
        {builtIn && <p>{say("hospitals.built_in")}</p>}
        <Facts
          items={[
            [say("hospitals.state"), say(hospital.is_active ? "hospitals.state.active" : "hospitals.state.inactive")],
            [say("hospitals.time_zone"), hospital.time_zone],
            [say("hospitals.doctor_scope"), say(`hospitals.scope.${hospital.doctor_scope}`)],
            [say("hospitals.phone"), hospital.phone],
            [say("hospitals.email"), hospital.email],
            [say("hospitals.address"), hospital.address],
            [say("hospitals.created_at"), dateTime(hospital.created_at, hospital.time_zone)],
          ]}
        />
      </Card>
      {!builtIn && <Wards hospital={hospital} />}
      {!builtIn && <Members hospital={hospital} />}
      {open === "edit" && (
        <Dialog title={say("common.edit")} onClose={close}>
          <HospitalForm
            hospital={hospital}
            submit={say("common.save")}
            onCancel={close}
            onSubmit={async (input) => {
              await change(input);
              close();
            }}
          />
        </Dialog>
      )}
      {open === "deactivate" && <Deactivate hospital={hospital} change={change} onClose={close} />}
      {open === "reactivate" && (
        <Confirm
          title={say("hospitals.reactivate_title", { name: hospital.name })}
          act={say("hospitals.reactivate")}
          risky={false}
          onConfirm={() => change({ is_active: true })}
          onClose={close}
        >
          <p>{say("hospitals.reactivate_text")}</p>
        </Confirm>
      )}
    </>
  );
}

type DeactivateProps = { hospital: Hospital; change: (json: HospitalChange) => Promise<void>; onClose: () => void };

function Deactivate({ hospital, change, onClose }: DeactivateProps) {
  const say = useSay();
  const [typed, setTyped] = useState("");
  return (
    <Confirm
      title={say("hospitals.deactivate_title", { name: hospital.name })}
      act={say("hospitals.deactivate")}
      disabled={typed.trim().normalize() !== hospital.name.normalize()}
      onConfirm={() => change({ is_active: false })}
      onClose={onClose}
    >
      <p>{say("hospitals.deactivate_text")}</p>
      <TextInput
        label={say("hospitals.name")}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        autoComplete="off"
      />
    </Confirm>
  );
}
