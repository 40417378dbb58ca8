// Sets that are not sent, in components.
import { useEffect, useSyncExternalStore } from "react";
import { useMe } from "../../accounts/session/use-session.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { t } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import { getOutbox, onFiledLater, startOutbox, subscribeOutbox } from "./outbox.ts";

export const useOutbox = () => useSyncExternalStore(subscribeOutbox, getOutbox);

/** Sends sets of the signed-in person as long as the signed-in layout is shown. */
export function useOutboxOfUser(): void {
  const { user_id: userId, hospital } = useMe();
  const hospitalId = hospital?.id ?? null;
  useEffect(() => startOutbox({ userId, hospitalId }), [userId, hospitalId]);
  useEffect(
    () =>
      onFiledLater(({ patientId }) => {
        announce(t("set.sent_later"));
        void queryClient.invalidateQueries({ queryKey: ["vitals", patientId] });
      }),
    [],
  );
}
