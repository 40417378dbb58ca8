// The secret of a key, this once.
import { Dialog } from "../design/dialog.tsx";
import { ShownOnce } from "../design/shown-once.tsx";
import { useSay } from "../messages/index.ts";

export function KeySecret({ name, token, onClose }: { name: string; token: string | null; onClose: () => void }) {
  const say = useSay();
  if (token === null) {
    return (
      <Dialog title={name} onClose={onClose}>
        <p>{say("keys.shown_before")}</p>
      </Dialog>
    );
  }
  return (
    <ShownOnce title={name} label={say("keys.secret")} value={token} onClose={onClose}>
      <p>{say("keys.once")}</p>
    </ShownOnce>
  );
}
