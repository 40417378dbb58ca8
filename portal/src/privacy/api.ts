// API calls for privacy officers, their reviews, and a patient's questions about the own access log.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import type { privacyOfficerRoutes } from "../../../src/privacy/officers/routes.ts";
import type { privacyQuestionRoutes } from "../../../src/privacy/questions/routes.ts";
import type { privacyReviewRoutes } from "../../../src/privacy/reviews/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../platform/api/client.ts";
import { queryClient } from "../platform/api/query-client.ts";
import { CURSOR_PAGINATION } from "../platform/design/data-table.tsx";

const reviewsApi = hc<typeof privacyReviewRoutes>(API_BASE, CLIENT_OPTIONS)["privacy-reviews"];
const questionsApi = hc<typeof privacyQuestionRoutes>(API_BASE, CLIENT_OPTIONS)["privacy-questions"];
const officerApi = hc<typeof privacyOfficerRoutes>(API_BASE, CLIENT_OPTIONS).hospitals[":hospital_id"]["privacy-officers"][
  ":user_id"
];

export type ReviewStatus = "open" | "closed";
const listReviews = (status: ReviewStatus, cursor: string | null) =>
  readPage(reviewsApi.$get({ query: { status, ...(cursor && { cursor }) } }));
export type ListedReview = Awaited<ReturnType<typeof listReviews>>["items"][number];

export const useReviews = (status: ReviewStatus) =>
  useInfiniteQuery({
    queryKey: ["privacy", "reviews", status],
    queryFn: ({ pageParam }) => listReviews(status, pageParam),
    ...CURSOR_PAGINATION,
  });

const readReview = (review_id: string) => readData(reviewsApi[":review_id"].$get({ param: { review_id } }));
export type Review = Awaited<ReturnType<typeof readReview>>;
export const OUTCOMES = ["explained", "justified", "not_justified"] as const satisfies readonly NonNullable<Review["outcome"]>[];
export type Outcome = (typeof OUTCOMES)[number];

export const useReview = (id: string) =>
  useQuery({
    queryKey: ["privacy", "review", id],
    queryFn: () => readReview(id),
    // Each read is an audit event.
    refetchOnWindowFocus: false,
  });

/** @throws Problem conflict when somebody else has closed it; it is read again either way */
export const closeReview = (review_id: string, outcome: Outcome, note: string) =>
  readData(reviewsApi[":review_id"].close.$post({ param: { review_id }, json: { outcome, note } })).finally(() =>
    queryClient.invalidateQueries({ queryKey: ["privacy"] }),
  );

const OWN_QUESTIONS_KEY = ["me", "questions"];
/** The newest hundred questions about the own records. */
export const useOwnQuestions = () =>
  useQuery({ queryKey: OWN_QUESTIONS_KEY, queryFn: () => readPage(questionsApi.$get({ query: { limit: "100" } })) });
export type OwnQuestion = NonNullable<ReturnType<typeof useOwnQuestions>["data"]>["items"][number];

/** @param text empty for none  @throws Problem */
export const askQuestion = (event_id: string, text: string) =>
  readData(questionsApi.$post({ json: { event_id, ...(text && { text }) } })).finally(() =>
    queryClient.invalidateQueries({ queryKey: OWN_QUESTIONS_KEY }),
  );

/** Asks the privacy officers of the hospital to look at a guardianship over the caller. @throws Problem */
export const askAboutGuardianship = (guardianship_id: string, text: string) =>
  readData(questionsApi.$post({ json: { guardianship_id, ...(text && { text }) } })).finally(() =>
    queryClient.invalidateQueries({ queryKey: OWN_QUESTIONS_KEY }),
  );

/** For managers of the hospital. @throws Problem */
export const setPrivacyOfficer = (hospital_id: string, user_id: string, isOfficer: boolean) =>
  isOfficer
    ? readData(officerApi.$put({ param: { hospital_id, user_id } }))
    : readData(officerApi.$delete({ param: { hospital_id, user_id } }));
