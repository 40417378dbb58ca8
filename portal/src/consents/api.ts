// API calls for consents: lists, one consent, requests by staff, and the person's answers.
import { queryOptions, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { hc } from "hono/client";
import { useEffect } from "react";
import type { consentOfferRoutes } from "../../../src/consents/offer-routes.ts";
import type { consentRoutes } from "../../../src/consents/routes.ts";
import { subscribeNotificationSignal } from "../monitoring/live/notification-signal.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../platform/api/client.ts";
import { Problem, toProblem } from "../platform/api/problem.ts";
import { queryClient } from "../platform/api/query-client.ts";
import { CURSOR_PAGINATION } from "../platform/design/data-table.tsx";

const consentClient = hc<typeof consentRoutes>(API_BASE, CLIENT_OPTIONS).consents;
const offerClient = hc<typeof consentOfferRoutes>(API_BASE, CLIENT_OPTIONS).consents;
const oneConsent = consentClient[":consent_id"];

export type Consent = Awaited<ReturnType<typeof readConsent>>;
export type ConsentState = Consent["status"];
export type SharedRecord = Consent["shared"][number];
export type ConsentFilters = { status?: ConsentState; patient_id?: string };
export type ConsentRequest = Parameters<typeof consentClient.$post>[0]["json"];
export type Grant = Parameters<typeof oneConsent.grant.$post>[0]["json"];

const listConsents = (filters: ConsentFilters, cursor: string | null) =>
  readPage(consentClient.$get({ query: { ...filters, ...(cursor && { cursor }) } }));

/** Newest first. A person: about their records. Staff: what their hospital asked for. */
export const useConsents = (filters: ConsentFilters) =>
  useInfiniteQuery({
    queryKey: ["consents", "list", filters],
    queryFn: ({ pageParam }) => listConsents(filters, pageParam),
    // Somebody else changes what a person or a hospital sees here.
    refetchOnMount: "always",
    ...CURSOR_PAGINATION,
  });

const readConsent = (consent_id: string) => readData(oneConsent.$get({ param: { consent_id } }));

const consentQuery = (id: string) => queryOptions({ queryKey: ["consents", "one", id], queryFn: () => readConsent(id) });

export const useConsent = (id: string) => useQuery(consentQuery(id));

/** Each read is an event of the audit log, so an open page asks rarely, and at once when somebody returns to it. */
const RUNNING_CHECK_MS = 60_000;

/** For pages that must not outlive the consent: no data before it was read by this page, or once it is refused. */
export function useRunningConsent(id: string) {
  const query = useQuery({
    ...consentQuery(id),
    refetchInterval: RUNNING_CHECK_MS,
    refetchOnMount: "always",
    refetchOnWindowFocus: "always",
  });
  const { status } = toProblem(query.error);
  const isKnown = query.isFetchedAfterMount && status !== 403 && status !== 404;
  return { ...query, data: isKnown ? query.data : undefined, error: query.isFetchedAfterMount ? query.error : null };
}

/** @param key idempotency key, so that a retry asks once  @throws Problem */
export async function requestConsent(json: ConsentRequest, key: string): Promise<void> {
  await readData(consentClient.$post({ header: { "idempotency-key": key }, json }));
  await invalidateConsents();
}

export type Answer = { step: "grant"; grant: Grant } | { step: "deny" } | { step: "revoke" };

function sendAnswer(consent_id: string, answer: Answer): Promise<Consent> {
  const param = { consent_id };
  switch (answer.step) {
    case "grant":
      return readData(oneConsent.grant.$post({ param, json: answer.grant }));
    case "deny":
      return readData(oneConsent.deny.$post({ param }));
    case "revoke":
      return readData(oneConsent.revoke.$post({ param }));
  }
}

/**
 * Sends an answer and reads the consent again, whether or not it was accepted.
 * @throws Problem `consent_changed` if another answer came first, `record_not_shareable` if a record cannot be shared
 */
export async function answerConsent({ consent_id, version }: Consent, answer: Answer): Promise<void> {
  try {
    await sendAnswer(consent_id, answer);
  } catch (error) {
    const { code, status, errorId } = toProblem(error);
    // Not theirs any more: the page closes.
    if (status === 404) await invalidateConsents();
    if (code !== "conflict") throw error;
    const current = await readConsent(consent_id);
    const isChanged = current.version !== version || current.status === "expired";
    await invalidateConsents();
    throw new Problem(0, isChanged ? "consent_changed" : "record_not_shareable", "", errorId);
  }
  await invalidateConsents();
}

export type Share = Parameters<typeof offerClient.share.$post>[0]["json"];

/** Shares without a request. @param key idempotency key, so that a retry shares once  @returns the consent's id  @throws Problem */
export async function shareRecords(json: Share, key: string): Promise<string> {
  const { consent_id } = await readData(offerClient.share.$post({ header: { "idempotency-key": key }, json }));
  await invalidateConsents();
  return consent_id;
}

export type NewOffer = Parameters<typeof offerClient.offers.$post>[0]["json"];
export type Offer = Awaited<ReturnType<typeof listOffers>>["items"][number];
export type NewCode = Awaited<ReturnType<typeof createOffer>>;

/** The code is in this response alone. @throws Problem */
export async function createOffer(json: NewOffer) {
  const offer = await readData(offerClient.offers.$post({ json }));
  await invalidateConsents();
  return offer;
}

const listOffers = (cursor: string | null) => readPage(offerClient.offers.$get({ query: { ...(cursor && { cursor }) } }));

/** The person's codes, newest first, without the codes themselves. */
export const useOffers = () =>
  useInfiniteQuery({
    queryKey: ["consents", "offers"],
    queryFn: ({ pageParam }) => listOffers(pageParam),
    ...CURSOR_PAGINATION,
  });

/** @throws Problem conflict: used, withdrawn or expired meanwhile */
export async function withdrawOffer(offer_id: string): Promise<void> {
  await readData(offerClient.offers[":offer_id"].$delete({ param: { offer_id } })).finally(invalidateConsents);
}

/** By staff, for a record of their hospital. @throws Problem not_found, conflict, rate_limited */
export async function redeemOffer(code: string, patient_id: string): Promise<void> {
  await readData(offerClient.redeem.$post({ json: { code, patient_id } }));
  await invalidateConsents();
}

/** After a change, lists and pages are read again, with the document requests that the consents are for. */
const invalidateConsents = async (): Promise<void> => {
  await Promise.all(["consents", "document-requests"].map((first) => queryClient.invalidateQueries({ queryKey: [first] })));
};

const WAITING_KEY = ["consents", "waiting"];

/**
 * How many requests wait for the person's answer, of which one is read. Its key is below that of the consents, so that an answer reads
 * it again; a notification does too.
 */
export function useWaitingCount() {
  useEffect(() => subscribeNotificationSignal(() => void queryClient.invalidateQueries({ queryKey: WAITING_KEY })), []);
  return useQuery({
    queryKey: WAITING_KEY,
    queryFn: async () => (await readPage(consentClient.$get({ query: { status: "requested", limit: "1" } }))).pagination.total,
    refetchOnMount: "always",
  });
}
