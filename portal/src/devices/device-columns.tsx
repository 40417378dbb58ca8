// Columns that identify a device, shared by the lists of devices.
import { Link } from "@tanstack/react-router";
import type { Column } from "../platform/design/data-table.tsx";
import { t, translateCode } from "../platform/messages/translate.ts";
import type { Device } from "./api.ts";

/** Name with link, kind and serial number. */
export const listIdentityColumns = (): Column<Device>[] => [
  {
    label: t("devices.name"),
    cell: ({ device_id, name }) => (
      <Link to="/devices/$deviceId" params={{ deviceId: device_id }}>
        {name}
      </Link>
    ),
  },
  { label: t("devices.kind"), cell: ({ kind }) => translateCode("devices.kind", kind) },
  { label: t("devices.serial"), cell: ({ serial_number }) => serial_number ?? t("common.none") },
];
