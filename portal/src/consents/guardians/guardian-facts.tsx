// What a guardianship says of itself, and its state as a badge.
import { formatDate, formatDateTime } from "../../platform/design/format.ts";
import { DescriptionList } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import classes from "../consents.module.css";
import type { Guardianship } from "./api.ts";

const BADGES = { recorded: "requested", active: "granted", ended: "revoked", expired: "expired" } as const;

export function StateBadge({ state }: Pick<Guardianship, "state">) {
  const t = useTranslation();
  return (
    <span className={classes.badge} data-status={BADGES[state]}>
      {t(`guardians.state.${state}`)}
    </span>
  );
}

export const isOpen = ({ state }: Guardianship): boolean => state === "recorded" || state === "active";

/** Reasons are in it for staff alone. */
export function GuardianFacts({ guardianship: one, zone }: { guardianship: Guardianship; zone?: string | undefined }) {
  const t = useTranslation();
  const { confirmed_at, ended_at, reason, end_reason } = one;
  return (
    <DescriptionList
      items={[
        [t("guardians.relationship"), t(`guardians.relationship.${one.relationship}`)],
        [t("guardians.ground"), t(`guardians.ground.${one.ground}`)],
        // It holds before this time.
        [t("guardians.until"), formatDate(Date.parse(one.until) - 1, zone)],
        [t("guardians.recorded_at"), formatDateTime(one.recorded_at, zone)],
        ...(confirmed_at ? ([[t("guardians.confirmed_at"), formatDateTime(confirmed_at, zone)]] as const) : []),
        ...(reason ? ([[t("guardians.reason"), reason]] as const) : []),
        ...(ended_at ? ([[t("guardians.ended_at"), formatDateTime(ended_at, zone)]] as const) : []),
        ...(one.is_guardian_linked
          ? ([[t("guardians.linked"), t(ended_at ? "guardians.linked_ended" : "guardians.linked_open")]] as const)
          : []),
        ...(end_reason ? ([[t("guardians.end_reason"), end_reason]] as const) : []),
      ]}
    />
  );
}
