// Work list of a ward: whose set of observations is due, the most overdue first.
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { useActiveWards } from "../../organization/wards/use-wards.ts";
import { getFullName } from "../../patients/api.ts";
import { formatShortTime } from "../../platform/design/format.ts";
import { Card, Page } from "../../platform/design/page.tsx";
import { EmptyState, QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { useViewContext } from "../board/use-board.ts";
import { getLivePatient } from "../live/patient-store.ts";
import { readObservationsDue } from "./api.ts";
import { compareDue, describeDue, judgeDue } from "./due-state.ts";
import classes from "./rounds.module.css";

/** The list looks at the patients of the board, which has at most so many, the most urgent first. */
const BOARD_SIZE = 40;
/** The rows follow the live view; this finds patients who came to the ward. */
const REFETCH_MS = 30_000;

export function DueListPage() {
  const t = useTranslation();
  const { ward } = useSearch({ from: "/signed-in/ward/due" });
  const wards = useActiveWards(null);
  const wardId = ward ?? wards.data?.[0]?.ward_id;
  const list = useQuery({
    queryKey: ["ward", "due", wardId],
    queryFn: () => readObservationsDue(wardId ?? ""),
    enabled: wardId !== undefined,
    refetchInterval: REFETCH_MS,
  });
  return (
    <Page
      title={t("rounds.title")}
      windowTitle={t("rounds.title")}
      actions={
        <Link to="/ward" search={wardId === undefined ? {} : { ward: wardId }}>
          {t("rounds.board")}
        </Link>
      }
    >
      <QueryBoundary query={list}>
        {({ patients, ward_name, watched }) =>
          patients.length === 0 && watched <= BOARD_SIZE ? (
            <EmptyState>{t("rounds.empty")}</EmptyState>
          ) : (
            <Card>
              {watched > BOARD_SIZE && <p role="alert">{t("rounds.not_all", { n: BOARD_SIZE, total: watched })}</p>}
              <DueTable patients={patients} name={ward_name} />
            </Card>
          )
        }
      </QueryBoundary>
    </Page>
  );
}

type Entry = Awaited<ReturnType<typeof readObservationsDue>>["patients"][number];

function DueTable({ patients, name }: { patients: readonly Entry[]; name: string }) {
  const t = useTranslation();
  const moment = useViewContext();
  const zone = useOwnTimeZone();
  const rows = patients.map((entry) => {
    const live = getLivePatient(entry.patient_id);
    const observations = live?.observations ?? entry.observations;
    return { entry, observations, state: judgeDue(observations, moment), news2: live?.news2 ?? entry.news2 };
  });
  return (
    <table className={classes.list} aria-label={`${t("rounds.title")}: ${name}`}>
      <thead>
        <tr>
          <th scope="col">{t("ward.patient")}</th>
          <th scope="col">{t("rounds.column")}</th>
          <th scope="col">{t("ward.news2")}</th>
          <th scope="col">{t("rounds.last_attempt")}</th>
          <th scope="col">
            <span className="visually-hidden">{t("rounds.enter")}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows
          .toSorted((a, b) => compareDue(a.state, b.state))
          .map(({ entry, observations, state, news2 }) => (
            <tr key={entry.patient_id} data-due={state.kind}>
              <th scope="row">
                <Link to="/patients/$patientId/vitals" params={{ patientId: entry.patient_id }}>
                  {getFullName(entry)}
                </Link>{" "}
                <span className={classes.number}>{t("common.number", { n: entry.patient_number })}</span>
              </th>
              <td className={classes.due}>{describeDue(state, moment.now, zone)}</td>
              <td>{news2 && "score" in news2 ? t("rounds.attempt", scoreText(news2, zone)) : "—"}</td>
              <td>
                {observations?.last_attempt &&
                  t("rounds.attempt", {
                    reason: translateCode("rounds.reason", observations.last_attempt.reason),
                    time: formatShortTime(observations.last_attempt.at, zone),
                  })}
              </td>
              <td>
                <Link
                  to="/patients/$patientId/observations/new"
                  params={{ patientId: entry.patient_id }}
                  aria-label={t("rounds.enter_for", { name: getFullName(entry) })}
                >
                  {t("rounds.enter")}
                </Link>
              </td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}

const scoreText = ({ score, as_of }: { score: number; as_of: string }, zone: string | undefined) => ({
  reason: String(score),
  time: formatShortTime(as_of, zone),
});
