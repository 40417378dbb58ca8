// What needs a person first, then the figures of today, then how it went lately.
import { dayOf, startOfDay } from "../design/days.ts";
import { Page } from "../design/page.tsx";
import { Loading } from "../design/states.tsx";
import { useZone, useZoneIsKnown } from "../hospitals/use-hospitals.ts";
import { serverNow } from "../live/server-clock.ts";
import { useSay } from "../messages/index.ts";
import { Needs } from "./needs.tsx";
import { Today } from "./today.tsx";
import { Trends } from "./trends.tsx";

/** Days are those of the hospital; an administrator of the platform has those of the browser. */
export type Day = { today: string; from: number; zone: string | undefined };

export function AdminOverviewPage() {
  const say = useSay();
  const zone = useZone();
  const today = dayOf(serverNow(), zone);
  const known = useZoneIsKnown();
  const day: Day = { today, from: startOfDay(today, zone), zone };
  return (
    <Page title={say("nav.overview")}>
      <Needs />
      {known ? (
        <>
          <Today day={day} />
          <Trends day={day} />
        </>
      ) : (
        <Loading />
      )}
    </Page>
  );
}
