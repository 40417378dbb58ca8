// Administrator overview: pending work, today's figures, trends and storage.

import { useMe } from "../accounts/session/use-session.ts";
import { serverNow } from "../monitoring/live/server-clock.ts";
import { StorageCard } from "../organization/hospitals/storage-card.tsx";
import { useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { dayInZone, startOfDay } from "../platform/design/calendar-days.ts";
import { Page } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { PendingWork } from "./pending-work.tsx";
import { TodayFigures } from "./today.tsx";
import { Trends } from "./trends.tsx";

/** A day of the screen's time zone. */
export type ReportingDay = { today: string; from: number; zone: string };

export function AdminOverviewPage() {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const today = dayInZone(serverNow(), zone);
  const { hospital } = useMe();
  const day: ReportingDay = { today, from: startOfDay(today, zone), zone };
  return (
    <Page title={t("nav.overview")}>
      <PendingWork />
      <TodayFigures day={day} />
      <Trends day={day} />
      {hospital && <StorageCard hospitalId={hospital.id} />}
    </Page>
  );
}
