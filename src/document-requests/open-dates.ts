// The dates of the consent of a document request that names none.
import { ANSWER_MS } from "../consents/answer-time.ts";
import { DAY_MS } from "../platform/time.ts";

/** A request expires together with the time that the person has to answer. */
export const REQUEST_MS = ANSWER_MS;
/** How far back documents are asked for, unless the request says otherwise. */
const DEFAULT_SPAN_MS = 100 * 365 * DAY_MS;

/** Times in Unix ms. `dateTo` is not included. @returns the first and last time of the documents */
export function toDataDates(dateFrom: number | null, dateTo: number | null, createdAt: number) {
  const dataUntil = dateTo === null ? createdAt + REQUEST_MS : dateTo - 1;
  return { dataFrom: dateFrom ?? dataUntil - DEFAULT_SPAN_MS, dataUntil };
}

/**
 * Which ends were left open. A last day that was narrowed since is not, and neither is the first one if the request named a last day
 * that was.
 */
export function findOpenEnds(dataFrom: number, dataUntil: number, createdAt: number) {
  const openUntil = createdAt + REQUEST_MS;
  return {
    isFromOpen: [dataUntil, openUntil].some((until) => dataFrom === until - DEFAULT_SPAN_MS),
    isUntilOpen: dataUntil === openUntil,
  };
}
