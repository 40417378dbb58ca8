// The chosen entries of one device, and what can be done with them.
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import layout from "../../platform/design/layout.module.css";
import { ActionError } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { type HeldEntry, listWaiting } from "./api.ts";

type HeldSelectionBarProps = {
  chosen: readonly HeldEntry[];
  /** The device of the list, if it is filtered by one: all of its entries can be chosen. */
  device: string | undefined;
  onChoose: (entries: readonly HeldEntry[]) => void;
  onFile: () => void;
  onDiscard: () => void;
};

export function HeldSelectionBar({ chosen, device, onChoose, onFile, onDiscard }: HeldSelectionBarProps) {
  const t = useTranslation();
  const loadAll = useMutation({ mutationFn: listWaiting, onSuccess: ({ items }) => onChoose(items) });
  const isPartial = loadAll.data?.complete === false && chosen === loadAll.data.items;
  return (
    <div className={layout.stack}>
      <p className={layout.count} role="status">
        {chosen.length === 0 ? t("held.none_chosen") : t("held.chosen", { n: chosen.length })}{" "}
        {isPartial && t("held.chosen_newest")}
      </p>
      <ActionError error={loadAll.error} />
      <div className={layout.acts}>
        {device && (
          <Button variant="default" loading={loadAll.isPending} onClick={() => loadAll.mutate(device)}>
            {t("held.choose_all")}
          </Button>
        )}
        <Button disabled={chosen.length === 0} onClick={onFile}>
          {t("held.file")}…
        </Button>
        <Button variant="default" disabled={chosen.length === 0} onClick={onDiscard}>
          {t("held.discard")}…
        </Button>
      </div>
    </div>
  );
}
