// One document request for staff of either hospital: what is asked, its steps, the answer, and what was shared.
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { toProblem } from "../platform/api/problem.ts";
import { Notice } from "../platform/design/notice.tsx";
import { Card, Page } from "../platform/design/page.tsx";
import { isClosed, QueryBoundary, RefetchError } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { AnswerCard, CancelAction } from "./answer-card.tsx";
import { type DocumentRequest, type Step, takeStep, useRequest } from "./api.ts";
import { FulfilCard } from "./fulfil-card.tsx";
import { RequestFacts } from "./request-facts.tsx";
import { RequestSteps } from "./request-steps.tsx";
import { SharedDocuments } from "./shared-documents.tsx";

export function RequestPage() {
  const t = useTranslation();
  const { requestId } = useParams({ from: "/signed-in/requests/$requestId" });
  const query = useRequest(requestId);
  return (
    <Page key={requestId} title={t("requests.one")}>
      <p>
        <Link to="/requests" search={{ ...(query.data?.direction && { direction: query.data.direction }) }}>
          {t("requests.all")}
        </Link>
      </p>
      <QueryBoundary query={query}>{(request) => <RequestView request={request} />}</QueryBoundary>
      <RefetchError error={query.data && !isClosed(query) && query.error} />
    </Page>
  );
}

const DONE = {
  approve: "requests.approved_done",
  reject: "requests.rejected_done",
  fulfil: "requests.fulfilled_done",
  cancel: "requests.cancelled_done",
} as const;
const CANCELLABLE: readonly DocumentRequest["status"][] = ["requested", "consented", "approved"];

function RequestView({ request }: { request: DocumentRequest }) {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const [notice, setNotice] = useState<string | null>(null);
  const { direction, status } = request;
  /** What another step has changed is said beside the request as it is now. @throws Problem */
  async function take(step: Step): Promise<void> {
    setNotice(null);
    try {
      await takeStep(request, step);
      setNotice(t(DONE[step.name]));
    } catch (error) {
      if (toProblem(error).code !== "request_changed") throw error;
      setNotice(t("requests.changed"));
    }
  }
  return (
    <>
      {notice !== null && <Notice key={notice} text={notice} />}
      <Card>
        <RequestFacts request={request} zone={zone} isOwn={false} />
      </Card>
      <Card title={t("requests.steps")}>
        <RequestSteps request={request} zone={zone} />
      </Card>
      {direction === "in" && status === "consented" && <AnswerCard take={take} />}
      {direction === "in" && status === "approved" && <FulfilCard request={request} zone={zone} take={take} />}
      {direction === "out" && CANCELLABLE.includes(status) && <CancelAction take={take} />}
      <SharedDocuments request={request} zone={zone} />
    </>
  );
}
