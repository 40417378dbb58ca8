// Who or what sent a report, by name where the caller may know it.
import { Link } from "@tanstack/react-router";
import { useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { type Sender, useDevice, useUser } from "./api.ts";

export function SenderName({ sender }: { sender: Sender }) {
  const say = useSay();
  const { role, user_id } = useMe();
  const manages = role === "admin" || role === "hospital_admin";
  const isDevice = sender.kind === "device";
  const device = useDevice(isDevice && role !== "patient" ? sender.id : null);
  const user = useUser(sender.kind === "user" && sender.id !== user_id && manages ? sender.id : null);
  if (sender.kind === "app") return <>{say("reports.an_app")}</>;
  if (isDevice) {
    if (!device.data) return <>{say("reports.a_device")}</>;
    return (
      <Link to="/devices/$deviceId" params={{ deviceId: sender.id }}>
        {device.data.name}
      </Link>
    );
  }
  if (sender.id === user_id) return <>{say("reports.you")}</>;
  return <>{user.data?.full_name ?? say("reports.staff_member")}</>;
}
