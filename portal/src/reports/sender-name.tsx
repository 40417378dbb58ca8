// Sender of a report, by name when the caller may know it.
import { Link } from "@tanstack/react-router";
import { useMe } from "../accounts/session/use-session.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import { type ReportSender, useDevice, useUser } from "./api.ts";

export function SenderName({ sender }: { sender: ReportSender }) {
  const t = useTranslation();
  const { role, user_id } = useMe();
  const canReadUsers = role === "admin" || role === "hospital_admin";
  const isDevice = sender.kind === "device";
  const device = useDevice(isDevice && role !== "patient" ? sender.id : null);
  const user = useUser(sender.kind === "user" && sender.id !== user_id && canReadUsers ? sender.id : null);
  if (sender.kind === "app") return <>{t("reports.an_app")}</>;
  if (isDevice) {
    if (!device.data) return <>{t("reports.a_device")}</>;
    return (
      <Link to="/devices/$deviceId" params={{ deviceId: sender.id }}>
        {device.data.name}
      </Link>
    );
  }
  if (sender.id === user_id) return <>{t("reports.you")}</>;
  return <>{user.data?.data.full_name ?? t("reports.staff_member")}</>;
}
