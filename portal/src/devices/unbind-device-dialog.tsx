// Confirmation before a device is unassigned.
import { useQueryClient } from "@tanstack/react-query";
import { ConfirmDialog } from "../platform/design/confirm-dialog.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { announce } from "../shell/announcer.tsx";
import { type Device, unbindDevice } from "./api.ts";

type UnbindDeviceDialogProps = { device: Pick<Device, "device_id" | "name">; onClose: () => void };

export function UnbindDeviceDialog({ device: { device_id, name }, onClose }: UnbindDeviceDialogProps) {
  const t = useTranslation();
  const client = useQueryClient();
  const unbind = async () => {
    await unbindDevice(device_id);
    await client.invalidateQueries({ queryKey: ["devices"] });
    announce(t("devices.unbound"));
  };
  return (
    <ConfirmDialog
      title={t("devices.unbind_question", { name })}
      confirmLabel={t("devices.unbind")}
      onConfirm={unbind}
      onClose={onClose}
    >
      <p>{t("devices.unbind_text")}</p>
    </ConfirmDialog>
  );
}
