// A patient's devices: the own ones, and the connection status and measured vital signs of all that are assigned.

import { useServerNow } from "../../monitoring/live/use-live.ts";
import { formatAge } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { ClaimRecord } from "./claim-record.tsx";
import classes from "./me.module.css";
import { MyPage } from "./my-page.tsx";
import { OwnDevices, useOwnDevices } from "./own-devices.tsx";
import { isConnected, useLatestVitals } from "./use-latest-vitals.ts";

export function MyDevicesPage() {
  const t = useTranslation();
  return (
    <MyPage title={t("me.my_devices")}>
      {({ patient_id }) => (
        <>
          <Devices key={patient_id} patientId={patient_id} />
          <Card title={t("me.claim.title")}>
            <p>{t("me.claim.text")}</p>
            <ClaimRecord />
          </Card>
        </>
      )}
    </MyPage>
  );
}

function Devices({ patientId }: { patientId: string }) {
  const vitals = useLatestVitals(patientId);
  const own = new Set(useOwnDevices(patientId).data?.map(({ device_id }) => device_id));
  const lastSeenAt = (deviceId: string) => vitals.devices.find(({ id }) => id === deviceId)?.lastSeenAt ?? null;
  return (
    <>
      <OwnDevices patientId={patientId} lastSeenAt={lastSeenAt} />
      <DeviceList query={vitals.query} devices={vitals.devices.filter(({ id }) => !own.has(id))} />
    </>
  );
}

function DeviceList({ query, devices }: Pick<ReturnType<typeof useLatestVitals>, "query" | "devices">) {
  const t = useTranslation();
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
