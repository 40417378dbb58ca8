// The ward board: who needs somebody first, and whether the numbers are of now.
import { Button, NativeSelect } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { memo, useState } from "react";
import { CODES } from "../alarms/vital-codes.ts";
import { vitalSign } from "../alarms/vital-words.ts";
import { useZone } from "../alarms/zone.ts";
import { Page } from "../design/page.tsx";
import { Empty, Query } from "../design/states.tsx";
import { clock } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import type { Entry, Ward } from "./api.ts";
import classes from "./board.module.css";
import { BoardTables } from "./board-tables.tsx";
import { useBoard, useMoment, useOrder, useWards } from "./use-board.ts";
import { useHistories } from "./use-histories.ts";
import { useWakeLock } from "./use-wake-lock.ts";

const TRENDS = [CODES.heart_rate, CODES.respiratory_rate, CODES.spo2, CODES.systolic, CODES.temperature];

export function WardPage() {
  const say = useSay();
  const { ward, trend } = useSearch({ from: "/house/ward" });
  const wards = useWards();
  const chosen = ward ?? wards.data?.[0]?.ward_id;
  const board = useBoard(chosen);
  const code = TRENDS.find((one) => one === trend) ?? CODES.heart_rate;
  const moment = useMoment();
  const [hold, setHold] = useState(false);
  const entries = board.data?.patients ?? NOBODY;
  const { rows, moved, reorder } = useOrder(chosen, entries, moment, hold);
  useHistories([...entries.map(({ patient_id }) => patient_id)].sort().join(" "), code);
  useWakeLock();
  return (
    <Page
      dense
      title={board.data?.ward_name ?? say("ward.title")}
      windowTitle={say("ward.title")}
      actions={
        <>
          {board.data && <Count shown={rows.length} watched={board.data.watched} />}
          {hold && moved > 0 && (
            <Button size="compact-sm" variant="default" onClick={reorder}>
              {say("ward.reorder", { n: moved })}
            </Button>
          )}
          <Choices wards={wards.data ?? NO_WARDS} chosen={chosen} code={code} />
          <Clock now={moment.now} />
        </>
      }
    >
      {wards.data?.length === 0 ? (
        <Empty>{say("ward.no_wards")}</Empty>
      ) : (
        <Query query={chosen === undefined ? { ...board, error: wards.error, refetch: wards.refetch } : board}>
          {() =>
            rows.length === 0 ? (
              <Empty>{say("ward.empty")}</Empty>
            ) : (
              <BoardTables rows={rows} moment={moment} code={code} onHold={setHold} />
            )
          }
        </Query>
      )}
    </Page>
  );
}

const NOBODY: readonly Entry[] = [];
const NO_WARDS: readonly Ward[] = [];

function Count({ shown, watched }: { shown: number; watched: number }) {
  const say = useSay();
  return (
    <span className={classes.count}>
      {watched > shown ? say("ward.shown_of", { n: shown, total: watched }) : say("ward.count", { n: shown })}
      <span className={classes.credit}>
        {say("common.decision_support")} · {say("ward.credit")}
      </span>
    </span>
  );
}

function Clock({ now }: { now: number }) {
  const zone = useZone();
  return <span className={classes.clock}>{clock(now, zone)}</span>;
}

type ChoicesProps = { wards: readonly Ward[]; chosen: string | undefined; code: string };

/** Not drawn again every second. */
const Choices = memo(function Choices({ wards, chosen, code }: ChoicesProps) {
  const say = useSay();
  const navigate = useNavigate();
  const go = (search: { ward?: string; trend?: string }) =>
    void navigate({ to: "/ward", search: (before) => ({ ...before, ...search }), replace: true });
  const labelOf = (one: string) => (one === CODES.temperature ? say("ward.temperature") : vitalSign(one));
  return (
    <>
      <NativeSelect
        size="xs"
        className={classes.trendChoice ?? ""}
        aria-label={say("ward.trend_of")}
        value={code}
        data={TRENDS.map((one) => ({ value: one, label: `${say("ward.trend_of")} ${labelOf(one)}` }))}
        onChange={({ currentTarget }) => go({ trend: currentTarget.value })}
      />
      {wards.length > 1 && (
        <NativeSelect
          size="xs"
          aria-label={say("ward.choose")}
          value={chosen ?? ""}
          data={wards.map(({ ward_id, name }) => ({ value: ward_id, label: name }))}
          onChange={({ currentTarget }) => go({ ward: currentTarget.value })}
        />
      )}
    </>
  );
});
