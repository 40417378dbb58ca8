// Device list of a hospital: type, assignment and status.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { useConnection } from "../monitoring/live/use-live.ts";
import { useHospitalName, useHospitals } from "../organization/hospitals/use-hospitals.ts";
import { getFullName, listPatients, type PatientSummary } from "../patients/api.ts";
import { type Column, CURSOR_PAGINATION, DataTable } from "../platform/design/data-table.tsx";
import layout from "../platform/design/layout.module.css";
import { Page } from "../platform/design/page.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { DEVICE_KINDS, type Device, isDeviceKind, listDevices } from "./api.ts";
import { listIdentityColumns } from "./device-columns.tsx";
import { LastSeen, SilentBadge, useLiveDeviceStatus, useSilenceAlarms } from "./device-status.tsx";
import classes from "./devices.module.css";
import { NewDeviceDialog } from "./new-device-dialog.tsx";

export function DevicesPage() {
  const t = useTranslation();
  const { hospital: ownHospital } = useMe();
  const search = useSearch({ strict: false });
  const kind = isDeviceKind(search.kind) ? search.kind : undefined;
  const hospitalId = ownHospital ? undefined : search.hospital;
  const isRetired = search.active === "false";
  const [serial, setSerial] = useState("");
  const [isCreating, setIsCreating] = useState(false);
  const filters = {
    active: isRetired ? ("false" as const) : ("true" as const),
    ...(kind && { kind }),
    ...(hospitalId && { hospital_id: hospitalId }),
    ...(serial.trim() && { serial_number: serial.trim() }),
  };
  const query = useInfiniteQuery({
    queryKey: ["devices", "list", filters],
    queryFn: ({ pageParam }) => listDevices(filters, pageParam),
    ...CURSOR_PAGINATION,
  });
  const columns = useColumns(hospitalId, ownHospital === null);
  return (
    <Page title={t("devices.devices")} actions={<Button onClick={() => setIsCreating(true)}>{t("devices.new")}</Button>}>
      <Filters
        kind={kind}
        hospitalId={ownHospital ? null : (hospitalId ?? "")}
        isRetired={isRetired}
        serial={serial}
        onSerial={setSerial}
      />
      <DataTable
        label={t("devices.devices")}
        columns={columns}
        rowKey={({ device_id }) => device_id}
        query={query}
        isFiltered={Boolean(kind || hospitalId || serial.trim() || isRetired)}
        empty={t("devices.empty")}
      />
      {isCreating && <NewDeviceDialog hospitalId={hospitalId} onClose={() => setIsCreating(false)} />}
    </Page>
  );
}

type FiltersProps = {
  kind: string | undefined;
  /** Null when there is nothing to choose. */
  hospitalId: string | null;
  isRetired: boolean;
  serial: string;
  onSerial: (serial: string) => void;
};

function Filters({ kind, hospitalId, isRetired, serial, onSerial }: FiltersProps) {
  const t = useTranslation();
  const navigate = useNavigate();
  const { data: hospitals = [] } = useHospitals();
  const currentSearch = {
    ...(kind && { kind }),
    ...(hospitalId && { hospital: hospitalId }),
    ...(isRetired && { active: "false" }),
  };
  const updateSearch = (change: Partial<Record<"kind" | "hospital" | "active", string>>) =>
    void navigate({ to: "/admin/devices", search: { ...currentSearch, ...change }, replace: true });
  return (
    <search className={`${layout.filters} ${classes.filters}`} aria-label={t("common.filters")}>
      {hospitalId !== null && (
        <NativeSelect
          label={t("devices.hospital")}
          data={[
            { value: "", label: t("devices.all_hospitals") },
            ...hospitals.map(({ hospital_id, name }) => ({ value: hospital_id, label: name })),
          ]}
          value={hospitalId}
          onChange={({ currentTarget }) => updateSearch({ hospital: currentTarget.value })}
        />
      )}
      <NativeSelect
        label={t("devices.kind")}
        data={[
          { value: "", label: t("common.all") },
          ...DEVICE_KINDS.map((deviceKind) => ({ value: deviceKind, label: translateCode("devices.kind", deviceKind) })),
        ]}
        value={kind ?? ""}
        onChange={({ currentTarget }) => updateSearch({ kind: currentTarget.value })}
      />
      <NativeSelect
        label={t("devices.service")}
        data={[
          { value: "", label: t("devices.in_service") },
          { value: "false", label: t("devices.out_of_service") },
        ]}
        value={isRetired ? "false" : ""}
        onChange={({ currentTarget }) => updateSearch({ active: currentTarget.value })}
      />
      <SerialField key={serial} serial={serial} onSerial={onSerial} />
    </search>
  );
}

/** The API matches whole serial numbers only, so the search runs on Enter and not on each key. */
function SerialField({ serial, onSerial }: { serial: string; onSerial: (serial: string) => void }) {
  const t = useTranslation();
  const [text, setText] = useState(serial);
  return (
    <TextInput
      label={t("devices.serial_exact")}
      autoComplete="off"
      value={text}
      onChange={({ currentTarget }) => setText(currentTarget.value)}
      onBlur={() => onSerial(text)}
      onKeyDown={({ key, nativeEvent }) => key === "Enter" && !nativeEvent.isComposing && onSerial(text)}
    />
  );
}

function useColumns(hospitalId: string | undefined, showsHospital: boolean): readonly Column<Device>[] {
  const t = useTranslation();
  const getHospitalName = useHospitalName();
  const silenceAlarms = useSilenceAlarms(hospitalId ? { hospital_id: hospitalId } : {});
  const patients = usePatientNames(hospitalId);
  // Without a live view only silence is known: the API's list has no time of last data.
  const isWatching = useConnection().status !== "off";
  return [
    ...listIdentityColumns(),
    ...(showsHospital ? [{ label: t("devices.hospital"), cell: ({ hospital_id }: Device) => getHospitalName(hospital_id) }] : []),
    {
      label: t("devices.bound_to"),
      cell: ({ patient_id }) => <PatientCell patientId={patient_id} patient={patients.get(patient_id ?? "")} />,
    },
    ...(isWatching ? [{ label: t("devices.last_seen"), cell: (device: Device) => <LastSeenCell device={device} /> }] : []),
    { label: t("devices.state"), cell: (device) => <StateCell device={device} alertId={silenceAlarms.get(device.device_id)} /> },
  ];
}

/** Patient names in one request instead of one per row; in hospitals with more patients, the rest are unnamed links. */
function usePatientNames(hospitalId: string | undefined): ReadonlyMap<string, PatientSummary> {
  const { data } = useQuery({
    queryKey: ["devices", "patients", hospitalId],
    queryFn: () => listPatients({ active: "true", ...(hospitalId && { hospital_id: hospitalId }) }, null),
    staleTime: 60_000,
  });
  return new Map(data?.items.map((patient) => [patient.patient_id, patient]));
}

function PatientCell({ patientId, patient }: { patientId: string | null; patient: PatientSummary | undefined }) {
  const t = useTranslation();
  if (patientId === null) return <span className={layout.muted}>{t("devices.not_bound")}</span>;
  return (
    <Link to="/patients/$patientId/devices" params={{ patientId }}>
      {patient ? `${getFullName(patient)} · ${t("common.number", { n: patient.patient_number })}` : t("devices.a_patient")}
    </Link>
  );
}

function LastSeenCell({ device }: { device: Device }) {
  const status = useLiveDeviceStatus(device);
  return device.patient_id === null ? <span className={layout.muted}>—</span> : <LastSeen status={status} />;
}

function StateCell({ device, alertId }: { device: Device; alertId: string | undefined }) {
  const t = useTranslation();
  if (alertId) return <SilentBadge alertId={alertId} />;
  return t(device.is_active ? "devices.in_service" : "devices.out_of_service");
}
