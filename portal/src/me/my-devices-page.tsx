// A patient's own devices: whether they are connected and what they measure. Which devices those are, the hospital decides.
import layout from "../design/layout.module.css";
import { Card } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { age } from "../design/time.ts";
import { useServerNow } from "../live/use-live.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { ClaimRecord } from "./claim-record.tsx";
import classes from "./me.module.css";
import { isConnected, useNewest } from "./newest.ts";
import { MyPage } from "./record.tsx";

export function MyDevicesPage() {
  const say = useSay();
  return (
    <MyPage title={say("me.my_devices")}>
      {({ patient_id }) => (
        <>
          <Devices key={patient_id} patientId={patient_id} />
          <Card title={say("me.claim.title")}>
            <p>{say("me.claim.text")}</p>
            <ClaimRecord />
          </Card>
        </>
      )}
    </MyPage>
  );
}

function Devices({ patientId }: { patientId: string }) {
  const say = useSay();
  const { query, devices } = useNewest(patientId);
  const now = useServerNow();
  return (
    <Card title={say("me.connected_to_me")}>
      <Query query={query}>
        {() =>
          devices.length === 0 ? (
            <p>{say("me.no_devices")}</p>
          ) : (
            <ul className={`${layout.list} ${classes.list}`}>
              {devices.map(({ id, measures, seenAt }, index) => (
                <li key={id}>
                  <h3>{say("me.device_n", { n: index + 1 })}</h3>
                  <p>
                    {isConnected(seenAt, now) ? say("me.connected") : say("me.not_connected")}
                    {" · "}
                    {seenAt === null
                      ? say("me.never_heard")
                      : say("me.last_heard", { age: say("common.ago", { age: age((now - seenAt) / 1000) }) })}
                  </p>
                  {measures.length > 0 && (
                    <p className={layout.muted}>
                      {say("me.measures", { what: measures.map((name) => sayOf("vital", name)).join(", ") })}
                    </p>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Query>
      <p className={classes.ask}>{say("me.devices_by_hospital")}</p>
    </Card>
  );
}
