// Sender of a report, by name when the caller may know it.
import { Link } from "@tanstack/react-router";
import { useMe } from "../accounts/session/use-session.ts";
import { useColleagueName } from "../organization/hospitals/use-colleagues.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import { type ReportSender, useDeviceName, useUser } from "./api.ts";

/** @param isOneOfMany in a list, whose senders are read together */
export function SenderName({ sender, isOneOfMany = false }: { sender: ReportSender; isOneOfMany?: boolean }) {
  const t = useTranslation();
  const { role, user_id, hospital } = useMe();
  const isDevice = sender.kind === "device";
  const deviceName = useDeviceName(isDevice && role !== "patient" ? sender.id : null, isOneOfMany);
  const isOther = sender.kind === "user" && sender.id !== user_id;
  const getColleagueName = useColleagueName(isOther && role !== "patient" ? hospital?.id : null);
  const user = useUser(isOther && role === "admin" ? sender.id : null);
  if (sender.kind === "app") return <>{t("reports.an_app")}</>;
  if (isDevice) {
    if (deviceName === undefined) return <>{t("reports.a_device")}</>;
    return (
      <Link to="/devices/$deviceId" params={{ deviceId: sender.id }}>
        {deviceName}
      </Link>
    );
  }
  if (sender.id === user_id) return <>{t("reports.you")}</>;
  return <>{getColleagueName(sender.id) ?? user.data?.data.full_name ?? t("reports.staff_member")}</>;
}
