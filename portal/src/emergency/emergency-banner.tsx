// Banner of a record that an emergency access opens: how long still, why, and the button that ends it.
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { toProblem } from "../platform/api/problem.ts";
import { queryClient } from "../platform/api/query-client.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import { announce } from "../shell/announcer.tsx";
import { type EmergencyAccess, useEmergencyAccess } from "./api.ts";
import classes from "./emergency.module.css";
import { EndButton } from "./end-button.tsx";
import { formatRemaining, useRemainingSeconds } from "./use-remaining.ts";

const WARN_SECONDS = 300;

type EmergencyBannerProps = {
  accessId: string;
  /** @param endedAt null where the time is not known */
  onOver: (endedAt: string | null) => void;
  /** The service refuses what belongs to the record: perhaps the access is over earlier than its time. */
  onRefused: () => void;
};

export function EmergencyBanner({ accessId, onOver, onRefused }: EmergencyBannerProps) {
  const t = useTranslation();
  const query = useEmergencyAccess(accessId);
  useRefusals(onRefused);
  return (
    <section className={classes.banner} aria-label={t("emergency.title")}>
      {query.data ? (
        <Running access={query.data} onOver={onOver} />
      ) : (
        <strong>{t(query.error ? "emergency.end_unknown" : "emergency.title")}</strong>
      )}
    </section>
  );
}

function Running({ access, onOver }: { access: EmergencyAccess; onOver: EmergencyBannerProps["onOver"] }) {
  const t = useTranslation();
  const seconds = useRemainingSeconds(access);
  const isOver = seconds === 0;
  const isSoon = seconds <= WARN_SECONDS;
  const endedAt = access.ended_at ?? access.ends_at;
  useEffect(() => {
    if (isOver) onOver(endedAt);
  }, [isOver, endedAt, onOver]);
  useEffect(() => {
    if (isSoon) announce(t("emergency.ends_soon"));
  }, [isSoon, t]);
  return (
    <>
      <strong className={classes.remaining}>{t("emergency.ends_in", { time: formatRemaining(seconds) })}</strong>
      <span className={classes.reason}>{t("emergency.reason_is", { reason: access.reason })}</span>
      <span className={classes.acts}>
        <Link to="/emergency/$accessId" params={{ accessId: access.emergency_access_id }}>
          {t("emergency.details")}
        </Link>
        <EndButton access={access} onEnded={({ ended_at }) => onOver(ended_at)} />
      </span>
    </>
  );
}

/** Calls back when a read is refused. */
function useRefusals(onRefused: () => void): void {
  useEffect(
    () =>
      queryClient.getQueryCache().subscribe((event) => {
        if (event.type !== "updated" || event.action.type !== "error") return;
        if (toProblem(event.action.error).status === 404) onRefused();
      }),
    [onRefused],
  );
}
