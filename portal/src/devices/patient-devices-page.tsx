// The devices of one patient: those bound now, with how they are, and those of before.
import { Button, Group, NativeSelect } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { type Column, DataTable, PAGES } from "../design/data-table.tsx";
import { Dialog } from "../design/dialog.tsx";
import { type FieldErrors, Form } from "../design/form.tsx";
import layout from "../design/layout.module.css";
import { Card, Page } from "../design/page.tsx";
import { Empty, Query } from "../design/states.tsx";
import { sayOf, useSay } from "../messages/index.ts";
import type { Patient } from "../patients/api.ts";
import { usePatient, useZoneOf } from "../rules/use-patient.ts";
import { useMe } from "../session/use-session.ts";
import { type Device, isKind, KINDS, type Kind, listDevices } from "./api.ts";
import { BindQuestion } from "./bind-question.tsx";
import classes from "./devices.module.css";
import { EarlierBindings } from "./earlier-bindings.tsx";
import { Clock, Conditions, LastHeard, Silent, useHeardOf, useSilent } from "./heard.tsx";
import { UnbindQuestion } from "./unbind-question.tsx";

export function PatientDevicesPage() {
  const say = useSay();
  const { patientId = "" } = useParams({ strict: false });
  const { role } = useMe();
  const patient = usePatient(patientId);
  const [choosing, setChoosing] = useState(false);
  const mayManage = role !== "doctor";
  const zone = useZoneOf(patient.data?.data.hospital_id);
  const add = mayManage && patient.data && <Button onClick={() => setChoosing(true)}>{say("devices.add")}</Button>;
  return (
    <Page title={say("devices.of_patient")} actions={add || undefined}>
      <Query query={patient}>
        {({ data }) => (
          <>
            <BoundNow patientId={data.patient_id} mayManage={mayManage} />
            <Card title={say("devices.before")}>
              {role === "admin" || role === "hospital_admin" ? (
                <EarlierBindings patientId={data.patient_id} zone={zone} />
              ) : (
                <p className={layout.muted}>{say("devices.before_elsewhere")}</p>
              )}
            </Card>
            {choosing && <ChooseDevice patient={data} onClose={() => setChoosing(false)} />}
          </>
        )}
      </Query>
    </Page>
  );
}

function BoundNow({ patientId, mayManage }: { patientId: string; mayManage: boolean }) {
  const say = useSay();
  const [unbinding, setUnbinding] = useState<Device | null>(null);
  const silent = useSilent({ patient_id: patientId });
  const query = useInfiniteQuery({
    queryKey: ["devices", "list", { patient_id: patientId }],
    queryFn: ({ pageParam }) => listDevices({ patient_id: patientId }, pageParam),
    ...PAGES,
  });
  const columns: Column<Device>[] = [
    {
      label: say("devices.name"),
      cell: ({ device_id, name }) => (
        <Link to="/devices/$deviceId" params={{ deviceId: device_id }}>
          {name}
        </Link>
      ),
    },
    { label: say("devices.kind"), cell: ({ kind }) => sayOf("devices.kind", kind) },
    { label: say("devices.serial"), cell: ({ serial_number }) => serial_number ?? say("common.none") },
    { label: say("devices.last_seen"), cell: (device) => <Of device={device} Part={LastHeard} /> },
    { label: say("devices.clock"), cell: (device) => <Of device={device} Part={Clock} /> },
    {
      label: say("devices.conditions"),
      cell: (device) => (
        <div>
          <Of device={device} Part={Conditions} /> <Silent alertId={silent.get(device.device_id)} />
        </div>
      ),
    },
    ...(mayManage
      ? [
          {
            label: say("devices.unbind"),
            cell: (device: Device) => (
              <Button
                variant="default"
                size="compact-sm"
                className={classes.act}
                onClick={() => setUnbinding(device)}
                aria-label={`${say("devices.unbind")}: ${device.name}`}
              >
                {say("devices.unbind")}
              </Button>
            ),
          },
        ]
      : []),
  ];
  return (
    <Card title={say("devices.now")}>
      <DataTable
        label={say("devices.now")}
        columns={columns}
        keyOf={({ device_id }) => device_id}
        query={query}
        empty={say("devices.none_now")}
      />
      {unbinding && <UnbindQuestion device={unbinding} onClose={() => setUnbinding(null)} />}
    </Card>
  );
}

function Of({ device, Part }: { device: Device; Part: typeof LastHeard }) {
  return <Part heard={useHeardOf(device)} />;
}

function ChooseDevice({ patient, onClose }: { patient: Patient; onClose: () => void }) {
  const say = useSay();
  const [kind, setKind] = useState<Kind | "">("");
  const [device, setDevice] = useState<Device | null>(null);
  const [asking, setAsking] = useState(false);
  if (device && asking) {
    return <BindQuestion device={device} patient={patient} onBound={onClose} onClose={() => setAsking(false)} />;
  }
  return (
    <Dialog title={say("devices.add")} onClose={onClose}>
      <Form
        submit={say("devices.bind_act")}
        check={(): FieldErrors => (device ? {} : { device_id: say("devices.choose_device") })}
        onSubmit={async () => setAsking(true)}
        changes={false}
        onCancel={onClose}
      >
        {(field) => (
          <>
            <NativeSelect
              label={say("devices.kind")}
              data={[
                { value: "", label: say("common.all") },
                ...KINDS.map((one) => ({ value: one, label: sayOf("devices.kind", one) })),
              ]}
              value={kind}
              onChange={({ currentTarget: { value } }) => {
                setKind(isKind(value) ? value : "");
                setDevice(null);
              }}
            />
            <DeviceChoices patient={patient} kind={kind} chosen={device} onChoose={setDevice} {...field("device_id")} />
          </>
        )}
      </Form>
    </Dialog>
  );
}

type DeviceChoicesProps = {
  patient: Patient;
  kind: Kind | "";
  chosen: Device | null;
  onChoose: (device: Device) => void;
  id: string;
  error: string | undefined;
};

function DeviceChoices({ patient, kind, chosen, onChoose, id, error }: DeviceChoicesProps) {
  const say = useSay();
  const filters = { active: "true" as const, hospital_id: patient.hospital_id, ...(kind && { kind }) };
  const query = useInfiniteQuery({
    queryKey: ["devices", "list", filters],
    queryFn: ({ pageParam }) => listDevices(filters, pageParam),
    ...PAGES,
  });
  return (
    <div id={id} tabIndex={-1}>
      <Query query={query}>
        {({ pages }) => {
          const devices = pages.flatMap(({ items }) => items).filter(({ patient_id }) => patient_id !== patient.patient_id);
          if (devices.length === 0) return <Empty>{say("devices.none_to_choose")}</Empty>;
          return (
            <fieldset className={classes.choices}>
              <legend className="visually-hidden">{say("devices.device")}</legend>
              {devices.map((device) => (
                <label key={device.device_id} className={classes.choice}>
                  <input
                    type="radio"
                    name={`${id}-device`}
                    checked={chosen?.device_id === device.device_id}
                    onChange={() => onChoose(device)}
                  />
                  <span>
                    {device.name}
                    <small>
                      {[
                        sayOf("devices.kind", device.kind),
                        device.serial_number,
                        device.patient_id && say("devices.bound_elsewhere"),
                      ]
                        .filter(Boolean)
                        .join(" · ")}
                    </small>
                  </span>
                </label>
              ))}
            </fieldset>
          );
        }}
      </Query>
      {error && <p className={classes.error}>{error}</p>}
      {query.hasNextPage && (
        <Group mt="xs">
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {say("common.show_more")}
          </Button>
        </Group>
      )}
    </div>
  );
}
