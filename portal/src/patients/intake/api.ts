// API calls for intake: links, the form that a link opens, and the review of what was submitted.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import type { intakeLinkRoutes } from "../../../../src/patients/intake/link-routes.ts";
import type { publicIntakeRoutes } from "../../../../src/patients/intake/public-routes.ts";
import type { intakeSubmissionRoutes } from "../../../../src/patients/intake/submission-routes.ts";
import { API_BASE, CLIENT_OPTIONS, formatEtag, readData, readPage } from "../../platform/api/client.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { CURSOR_PAGINATION } from "../../platform/design/data-table.tsx";

const links = hc<typeof intakeLinkRoutes>(API_BASE, CLIENT_OPTIONS)["intake-links"];
// Without the session: who opens a link has none.
const { intake } = hc<typeof publicIntakeRoutes>(API_BASE);
const submissions = hc<typeof intakeSubmissionRoutes>(API_BASE, CLIENT_OPTIONS)["intake-submissions"];
const oneSubmission = submissions[":submission_id"];

export type IntakeForm = Awaited<ReturnType<typeof openForm>>;
export type FormField = IntakeForm["fields"][number];
export type Answers = Parameters<typeof intake.submit.$post>[0]["json"]["answers"];
export type Submission = Awaited<ReturnType<typeof readSubmission>>;
export type Overview = Awaited<ReturnType<typeof listSubmissions>>["items"][number];
export const STATES = ["submitted", "taken", "rejected"] as const;
export type State = (typeof STATES)[number];

/** @throws Problem */
export const openForm = (token: string) => readData(intake.open.$post({ json: { token } }));
/** @throws Problem */
export const submitForm = (token: string, answers: Answers) => readData(intake.submit.$post({ json: { token, answers } }));

export type NewLink = Parameters<typeof links.$post>[0]["json"];
/** @param key idempotency key: a retry gets the same link  @throws Problem */
export const createLink = (json: NewLink, key: string) => readData(links.$post({ header: { "idempotency-key": key }, json }));

const listSubmissions = (state: State, cursor: string | null) =>
  readPage(submissions.$get({ query: { state, ...(cursor && { cursor }) } }));

/** Newest first. */
export const useSubmissions = (state: State) =>
  useInfiniteQuery({
    queryKey: ["intake", "list", state],
    queryFn: ({ pageParam }) => listSubmissions(state, pageParam),
    // They come from outside.
    refetchOnMount: "always",
    ...CURSOR_PAGINATION,
  });

const readSubmission = (submission_id: string) => readData(oneSubmission.$get({ param: { submission_id } }));
export const useSubmission = (id: string) =>
  useQuery({ queryKey: ["intake", "one", id], queryFn: () => readSubmission(id), refetchOnMount: "always" });

export type Take = Parameters<typeof oneSubmission.take.$post>[0]["json"];
const request = ({ submission_id, version }: Submission) => ({
  param: { submission_id },
  header: { "if-match": formatEtag(version) },
});

/** @returns the submission after it  @throws Problem */
export async function takeOver(submission: Submission, json: Take): Promise<Submission> {
  const taken = await readData(oneSubmission.take.$post({ ...request(submission), json }));
  await queryClient.invalidateQueries({ queryKey: ["intake"] });
  return taken;
}

/** @throws Problem */
export async function reject(submission: Submission, reason: string): Promise<void> {
  await readData(oneSubmission.reject.$post({ ...request(submission), json: { reason } }));
  await queryClient.invalidateQueries({ queryKey: ["intake"] });
}
