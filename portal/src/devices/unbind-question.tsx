// Asks before a device is bound to nobody.
import { useQueryClient } from "@tanstack/react-query";
import { Confirm } from "../design/confirm.tsx";
import { useSay } from "../messages/index.ts";
import { announce } from "../shell/announcer.tsx";
import { type Device, unbindDevice } from "./api.ts";

type UnbindQuestionProps = { device: Pick<Device, "device_id" | "name">; onClose: () => void };

export function UnbindQuestion({ device: { device_id, name }, onClose }: UnbindQuestionProps) {
  const say = useSay();
  const client = useQueryClient();
  const unbind = async () => {
    await unbindDevice(device_id);
    await client.invalidateQueries({ queryKey: ["devices"] });
    announce(say("devices.unbound"));
  };
  return (
    <Confirm title={say("devices.unbind_question", { name })} act={say("devices.unbind")} onConfirm={unbind} onClose={onClose}>
      <p>{say("devices.unbind_text")}</p>
    </Confirm>
  );
}
