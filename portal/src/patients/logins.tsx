// The logins with which the patient reads the record, and the code that ties one to it.
import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Confirm } from "../design/confirm.tsx";
import { Dialog } from "../design/dialog.tsx";
import { useHeld } from "../design/offline.tsx";
import { Card } from "../design/page.tsx";
import { NotDone, Query } from "../design/states.tsx";
import { date, dateTime } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import classes from "./history.module.css";
import { type ClaimCode, issueClaimCode, listLogins, untieLogin } from "./record-api.ts";

type LoginsProps = { patientId: string; zone: string | undefined };

export function Logins({ patientId, zone }: LoginsProps) {
  const say = useSay();
  const queries = useQueryClient();
  const key = ["patients", patientId, "logins"];
  const query = useQuery({ queryKey: key, queryFn: () => listLogins(patientId) });
  const [untying, setUntying] = useState<string | null>(null);
  return (
    <Card title={say("record.login")}>
      <Query query={query}>
        {(logins) =>
          logins.length === 0 ? (
            <p>{say("record.no_login")}</p>
          ) : (
            <ul className={classes.list}>
              {logins.map(({ user_id, method, created_at }) => (
                <li key={user_id}>
                  <span className={classes.who}>{say(`record.login_by.${method}`, { date: date(created_at, zone) })}</span>
                  <Button variant="default" size="compact-sm" onClick={() => setUntying(user_id)}>
                    {say("record.untie")}
                  </Button>
                </li>
              ))}
            </ul>
          )
        }
      </Query>
      <NewCode patientId={patientId} zone={zone} />
      {untying && (
        <Confirm
          title={say("record.untie_title")}
          act={say("record.untie")}
          onConfirm={async () => {
            await untieLogin(patientId, untying);
            await queries.invalidateQueries({ queryKey: key });
          }}
          onClose={() => setUntying(null)}
        >
          <p>{say("record.untie_text")}</p>
        </Confirm>
      )}
    </Card>
  );
}

/** Shown once, in memory only: whoever has it can read the record. */
function NewCode({ patientId, zone }: LoginsProps) {
  const say = useSay();
  const [state, setState] = useState<{ busy: boolean; error: unknown; made: ClaimCode | null }>({
    busy: false,
    error: null,
    made: null,
  });
  const { held, reason } = useHeld();
  const make = () => {
    setState({ busy: true, error: null, made: null });
    issueClaimCode(patientId).then(
      (made) => setState({ busy: false, error: null, made }),
      (error: unknown) => setState({ busy: false, error, made: null }),
    );
  };
  return (
    <>
      <NotDone error={state.error} />
      {reason}
      <Button variant="default" loading={state.busy} onClick={make} {...held}>
        {say("record.new_code")}
      </Button>
      <p className={classes.muted}>{say("record.code_ends")}</p>
      {state.made && (
        <Dialog title={say("record.code_title")} onClose={() => setState({ busy: false, error: null, made: null })}>
          <p className={classes.code}>{state.made.code}</p>
          <p>{say("record.code_text", { until: dateTime(state.made.expires_at, zone) })}</p>
        </Dialog>
      )}
    </>
  );
}
