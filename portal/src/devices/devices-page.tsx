// Devices of a hospital: what they are, whose, and whether they are heard.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { type Column, DataTable, PAGES } from "../design/data-table.tsx";
import layout from "../design/layout.module.css";
import { Page } from "../design/page.tsx";
import { useHospitalName, useHospitals } from "../hospitals/use-hospitals.ts";
import { useLink } from "../live/use-live.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { listPatients, nameOf, type PatientSummary } from "../patients/api.ts";
import { useMe } from "../session/use-session.ts";
import { type Device, isKind, KINDS, listDevices } from "./api.ts";
import classes from "./devices.module.css";
import { LastHeard, Silent, useLiveHeard, useSilent } from "./heard.tsx";
import { NewDeviceDialog } from "./new-device.tsx";

export function DevicesPage() {
  const say = useSay();
  const { hospital: own } = useMe();
  const search = useSearch({ strict: false });
  const kind = isKind(search.kind) ? search.kind : undefined;
  const hospitalId = own ? undefined : search.hospital;
  const retired = search.active === "false";
  const [serial, setSerial] = useState("");
  const [creating, setCreating] = useState(false);
  const filters = {
    active: retired ? ("false" as const) : ("true" as const),
    ...(kind && { kind }),
    ...(hospitalId && { hospital_id: hospitalId }),
    ...(serial.trim() && { serial_number: serial.trim() }),
  };
  const query = useInfiniteQuery({
    queryKey: ["devices", "list", filters],
    queryFn: ({ pageParam }) => listDevices(filters, pageParam),
    ...PAGES,
  });
  const columns = useColumns(hospitalId, own === null);
  return (
    <Page title={say("devices.devices")} actions={<Button onClick={() => setCreating(true)}>{say("devices.new")}</Button>}>
      <Filters kind={kind} hospitalId={own ? null : (hospitalId ?? "")} retired={retired} serial={serial} onSerial={setSerial} />
      <DataTable
        label={say("devices.devices")}
        columns={columns}
        keyOf={({ device_id }) => device_id}
        query={query}
        filtered={Boolean(kind || hospitalId || serial.trim() || retired)}
        empty={say("devices.empty")}
      />
      {creating && <NewDeviceDialog hospitalId={hospitalId} onClose={() => setCreating(false)} />}
    </Page>
  );
}

type FiltersProps = {
  kind: string | undefined;
  /** Null where there is nothing to choose. */
  hospitalId: string | null;
  retired: boolean;
  serial: string;
  onSerial: (serial: string) => void;
};

function Filters({ kind, hospitalId, retired, serial, onSerial }: FiltersProps) {
  const say = useSay();
  const navigate = useNavigate();
  const { data: hospitals = [] } = useHospitals();
  const now = {
    ...(kind && { kind }),
    ...(hospitalId && { hospital: hospitalId }),
    ...(retired && { active: "false" }),
  };
  const set = (change: Partial<Record<"kind" | "hospital" | "active", string>>) =>
    void navigate({ to: "/admin/devices", search: { ...now, ...change }, replace: true });
  return (
    <search className={`${layout.filters} ${classes.filters}`} aria-label={say("common.filters")}>
      {hospitalId !== null && (
        <NativeSelect
          label={say("devices.hospital")}
          data={[
            { value: "", label: say("devices.all_hospitals") },
            ...hospitals.map(({ hospital_id, name }) => ({ value: hospital_id, label: name })),
          ]}
          value={hospitalId}
          onChange={({ currentTarget }) => set({ hospital: currentTarget.value })}
        />
      )}
      <NativeSelect
        label={say("devices.kind")}
        data={[
          { value: "", label: say("common.all") },
          ...KINDS.map((one) => ({ value: one, label: sayOf("devices.kind", one) })),
        ]}
        value={kind ?? ""}
        onChange={({ currentTarget }) => set({ kind: currentTarget.value })}
      />
      <NativeSelect
        label={say("devices.service")}
        data={[
          { value: "", label: say("devices.in_service") },
          { value: "false", label: say("devices.out_of_service") },
        ]}
        value={retired ? "false" : ""}
        onChange={({ currentTarget }) => set({ active: currentTarget.value })}
      />
      <SerialField key={serial} serial={serial} onSerial={onSerial} />
    </search>
  );
}

/** The API finds whole serial numbers: asked for when it is entered, not at every letter. */
function SerialField({ serial, onSerial }: { serial: string; onSerial: (serial: string) => void }) {
  const say = useSay();
  const [text, setText] = useState(serial);
  return (
    <TextInput
      label={say("devices.serial_exact")}
      autoComplete="off"
      value={text}
      onChange={({ currentTarget }) => setText(currentTarget.value)}
      onBlur={() => onSerial(text)}
      onKeyDown={({ key, nativeEvent }) => key === "Enter" && !nativeEvent.isComposing && onSerial(text)}
    />
  );
}

function useColumns(hospitalId: string | undefined, hasMany: boolean): readonly Column<Device>[] {
  const say = useSay();
  const hospitalName = useHospitalName();
  const silent = useSilent(hospitalId ? { hospital_id: hospitalId } : {});
  const patients = usePatients(hospitalId);
  // Who watches nobody is told of silence alone: the list of the API does not say when a device was heard.
  const isWatching = useLink().status !== "off";
  return [
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
    ...(hasMany ? [{ label: say("devices.hospital"), cell: ({ hospital_id }: Device) => hospitalName(hospital_id) }] : []),
    {
      label: say("devices.bound_to"),
      cell: ({ patient_id }) => <BoundTo patientId={patient_id} patient={patients.get(patient_id ?? "")} />,
    },
    ...(isWatching ? [{ label: say("devices.last_seen"), cell: (device: Device) => <LiveLastHeard device={device} /> }] : []),
    { label: say("devices.state"), cell: (device) => <State device={device} alertId={silent.get(device.device_id)} /> },
  ];
}

/** Names in one request instead of one a row; of a hospital with more patients, the rest are links without names. */
function usePatients(hospitalId: string | undefined): ReadonlyMap<string, PatientSummary> {
  const { data } = useQuery({
    queryKey: ["devices", "patients", hospitalId],
    queryFn: () => listPatients({ active: "true", ...(hospitalId && { hospital_id: hospitalId }) }, null),
    staleTime: 60_000,
  });
  return new Map(data?.items.map((patient) => [patient.patient_id, patient]));
}

function BoundTo({ patientId, patient }: { patientId: string | null; patient: PatientSummary | undefined }) {
  const say = useSay();
  if (patientId === null) return <span className={layout.muted}>{say("devices.not_bound")}</span>;
  return (
    <Link to="/patients/$patientId/devices" params={{ patientId }}>
      {patient ? `${nameOf(patient)} · ${say("common.number", { n: patient.patient_number })}` : say("devices.a_patient")}
    </Link>
  );
}

function LiveLastHeard({ device }: { device: Device }) {
  const heard = useLiveHeard(device);
  return device.patient_id === null ? <span className={layout.muted}>—</span> : <LastHeard heard={heard} />;
}

function State({ device, alertId }: { device: Device; alertId: string | undefined }) {
  const say = useSay();
  if (alertId) return <Silent alertId={alertId} />;
  return say(device.is_active ? "devices.in_service" : "devices.out_of_service");
}
