// A patient's devices: connection status and measured vital signs. The hospital assigns the devices.

import { useServerNow } from "../../monitoring/live/use-live.ts";
import { formatAge } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { ClaimRecord } from "./claim-record.tsx";
import classes from "./me.module.css";
import { MyPage } from "./my-page.tsx";
import { isConnected, useLatestVitals } from "./use-latest-vitals.ts";

export function MyDevicesPage() {
  const t = useTranslation();
  return (
    <MyPage title={t("me.my_devices")}>
      {({ patient_id }) => (
        <>
          <DeviceList key={patient_id} patientId={patient_id} />
          <Card title={t("me.claim.title")}>
            <p>{t("me.claim.text")}</p>
            <ClaimRecord />
          </Card>
        </>
      )}
    </MyPage>
  );
}

function DeviceList({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const { query, devices } = useLatestVitals(patientId);
  const now = useServerNow();
  return (
    <Card title={t("me.connected_to_me")}>
      <QueryBoundary query={query}>
        {() =>
          devices.length === 0 ? (
            <p>{t("me.no_devices")}</p>
          ) : (
            <ul className={`${layout.list} ${classes.list}`}>
              {devices.map(({ id, measures, lastSeenAt }, index) => (
                <li key={id}>
                  <h3>{t("me.device_n", { n: index + 1 })}</h3>
                  <p>
                    {isConnected(lastSeenAt, now) ? t("me.connected") : t("me.not_connected")}
                    {" · "}
                    {lastSeenAt === null
                      ? t("me.never_heard")
                      : t("me.last_heard", { age: t("common.ago", { age: formatAge((now - lastSeenAt) / 1000) }) })}
                  </p>
                  {measures.length > 0 && (
                    <p className={layout.muted}>
                      {t("me.measures", { what: measures.map((name) => translateCode("vital", name)).join(", ") })}
                    </p>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </QueryBoundary>
      <p className={classes.ask}>{t("me.devices_by_hospital")}</p>
    </Card>
  );
}
