// Sign-out, with a question while observations are not sent: it deletes them.
import { useSyncExternalStore } from "react";
import { signOut } from "../accounts/session/session.ts";
import { countOwn, countUnsent } from "../monitoring/observation-set/outbox.ts";
import { useOutbox } from "../monitoring/observation-set/use-outbox.ts";
import { ConfirmDialog } from "../platform/design/confirm-dialog.tsx";
import { useTranslation } from "../platform/messages/translate.ts";

let isAsking = false;
const listeners = new Set<() => void>();

function setAsking(next: boolean): void {
  isAsking = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export async function requestSignOut(): Promise<void> {
  if ((await countUnsent()) > 0) setAsking(true);
  else await signOut();
}

export function SignOutDialog() {
  const t = useTranslation();
  const isOpen = useSyncExternalStore(subscribe, () => isAsking);
  const outbox = useOutbox();
  if (!isOpen) return null;
  return (
    <ConfirmDialog
      title={t("set.sign_out_title", { n: countOwn(outbox) })}
      confirmLabel={t("set.sign_out_act")}
      isMutation={false}
      onConfirm={signOut}
      onClose={() => setAsking(false)}
    >
      <p>{t("set.sign_out_text")}</p>
    </ConfirmDialog>
  );
}
