// Ward board: patients by urgency, and whether the values are live.
import { Button, NativeSelect } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { memo, useState } from "react";
import { CODES } from "../../../../src/monitoring/vitals/codes.ts";
import type { Ward } from "../../organization/hospitals/api.ts";
import { useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { useActiveWards } from "../../organization/wards/use-wards.ts";
import { formatTime, formatZone } from "../../platform/design/format.ts";
import { Page } from "../../platform/design/page.tsx";
import { EmptyState, QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { vitalAbbreviation } from "../alerts/vital-format.ts";
import type { BoardEntry } from "./api.ts";
import classes from "./board.module.css";
import { BoardTables } from "./board-tables.tsx";
import { useBoard, useBoardOrder, useViewContext } from "./use-board.ts";
import { useTrends } from "./use-trend-histories.ts";
import { useWakeLock } from "./use-wake-lock.ts";

const TREND_CODES = [CODES.heart_rate, CODES.respiratory_rate, CODES.spo2, CODES.systolic, CODES.temperature];

export function WardPage() {
  const t = useTranslation();
  const { ward, trend } = useSearch({ from: "/signed-in/ward" });
  const wards = useActiveWards(null);
  const selectedWardId = ward ?? wards.data?.[0]?.ward_id;
  const board = useBoard(selectedWardId);
  const code = TREND_CODES.find((one) => one === trend) ?? CODES.heart_rate;
  const moment = useViewContext();
  const [isHolding, setIsHolding] = useState(false);
  const entries = board.data?.patients ?? NO_ENTRIES;
  const { rows, moved: movedCount, reorder } = useBoardOrder(selectedWardId, entries, moment, isHolding);
  useTrends(
    selectedWardId,
    entries
      .map(({ patient_id }) => patient_id)
      .sort()
      .join(" "),
    code,
  );
  useWakeLock();
  return (
    <Page
      isDense
      title={board.data?.ward_name ?? t("ward.title")}
      windowTitle={t("ward.title")}
      actions={
        <>
          {board.data && (
            <PatientCount
              shown={rows.length}
              watched={board.data.watched}
              isSustained={wards.data?.find(({ ward_id }) => ward_id === selectedWardId)?.news2_profile === "sustained"}
            />
          )}
          {isHolding && movedCount > 0 && (
            <Button size="compact-sm" variant="default" onClick={reorder}>
              {t("ward.reorder", { n: movedCount })}
            </Button>
          )}
          <Link to="/ward/due" search={selectedWardId === undefined ? {} : { ward: selectedWardId }} className={classes.count}>
            {t("rounds.title")}
          </Link>
          <BoardControls wards={wards.data ?? NO_WARDS} chosen={selectedWardId} code={code} />
          <Clock now={moment.now} />
        </>
      }
    >
      {wards.data?.length === 0 ? (
        <EmptyState>{t("ward.no_wards")}</EmptyState>
      ) : (
        <QueryBoundary query={selectedWardId === undefined ? { ...board, error: wards.error, refetch: wards.refetch } : board}>
          {() =>
            rows.length === 0 ? (
              <EmptyState>{t("ward.empty")}</EmptyState>
            ) : (
              <BoardTables rows={rows} moment={moment} code={code} onHold={setIsHolding} />
            )
          }
        </QueryBoundary>
      )}
    </Page>
  );
}

const NO_ENTRIES: readonly BoardEntry[] = [];
const NO_WARDS: readonly Ward[] = [];

function PatientCount({ shown, watched, isSustained }: { shown: number; watched: number; isSustained: boolean }) {
  const t = useTranslation();
  return (
    <span className={classes.count}>
      {watched > shown ? t("ward.shown_of", { n: shown, total: watched }) : t("ward.count", { n: shown })}
      <span className={classes.credit}>
        {t("common.decision_support")} · {t("ward.credit")}
        {isSustained && ` ${t("ward.sustained")}`}
      </span>
    </span>
  );
}

function Clock({ now }: { now: number }) {
  const zone = useOwnTimeZone();
  return (
    <span className={classes.clock}>
      {formatTime(now, zone)} {formatZone(now, zone, "short")}
    </span>
  );
}

type BoardControlsProps = { wards: readonly Ward[]; chosen: string | undefined; code: string };

/** Memoised: does not render every second. */
const BoardControls = memo(function BoardControls({ wards, chosen, code }: BoardControlsProps) {
  const t = useTranslation();
  const navigate = useNavigate();
  const updateSearch = (search: { ward?: string; trend?: string }) =>
    void navigate({ to: "/ward", search: (before) => ({ ...before, ...search }), replace: true });
  const labelOf = (one: string) => (one === CODES.temperature ? t("ward.temperature") : vitalAbbreviation(one));
  return (
    <>
      <NativeSelect
        size="xs"
        className={classes.trendChoice ?? ""}
        aria-label={t("ward.trend_of")}
        value={code}
        data={TREND_CODES.map((one) => ({ value: one, label: `${t("ward.trend_of")} ${labelOf(one)}` }))}
        onChange={({ currentTarget }) => updateSearch({ trend: currentTarget.value })}
      />
      {wards.length > 1 && (
        <NativeSelect
          size="xs"
          aria-label={t("ward.choose")}
          value={chosen ?? ""}
          data={wards.map(({ ward_id, name }) => ({ value: ward_id, label: name }))}
          onChange={({ currentTarget }) => updateSearch({ ward: currentTarget.value })}
        />
      )}
    </>
  );
});
