// Sends sets of observations: at once if the service answers, otherwise when it is back. The one exception to "nothing is queued offline".
import { currentSession, onSignOut, subscribeSession } from "../../accounts/session/session.ts";
import { Problem, toProblem } from "../../platform/api/problem.ts";
import { getConnection, subscribeConnection } from "../live/connection.ts";
import { serverNow } from "../live/server-clock.ts";
import { type FiledSet, postSet } from "./api.ts";
import type { SetBody } from "./set-draft.ts";
import { ASK_AFTER_MS, getWaitingState, judgeFailure, retryDelayMs, toRefusal, type WaitingSet } from "./waiting-set.ts";
import {
  addSet,
  KeepError,
  type KeepFailure,
  listSets,
  listSetsOfOthers,
  removeSet,
  removeSetsOf,
  type SetOfOther,
  updateSet,
} from "./waiting-store.ts";

/** Without an answer by then a set counts as not sent, ms. */
const SEND_DEADLINE_MS = 5_000;
const SENDING_LOCK = "edgecare.waiting-sets";
const setLock = (id: string) => `${SENDING_LOCK}.${id}`;

export type Outbox = {
  sets: readonly WaitingSet[];
  /** Kept by this browser and not readable any more. */
  unreadable: readonly string[];
  /** Of people whose sessions expired. */
  others: readonly SetOfOther[];
  /** Ids of sets in their first attempt, from the form. */
  submitting: readonly string[];
  /** Being sent now. */
  sendingId: string | null;
  /** Null while sets can be kept; otherwise why not. */
  failure: KeepFailure | null;
};
const EMPTY: Outbox = { sets: [], unreadable: [], others: [], submitting: [], sendingId: null, failure: null };

type Owner = { userId: string; hospitalId: string | null };
let owner: Owner | null = null;
let outbox = EMPTY;
let failures = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let channel: BroadcastChannel | null = null;
const listeners = new Set<() => void>();
const filedListeners = new Set<(set: WaitingSet, answer: FiledSet) => void>();

export const getOutbox = (): Outbox => outbox;
export function subscribeOutbox(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
/** Subscribes to sets that were filed after they had waited. */
export function onFiledLater(listener: (set: WaitingSet, answer: FiledSet) => void): () => void {
  filedListeners.add(listener);
  return () => filedListeners.delete(listener);
}

function setOutbox(change: Partial<Outbox>): void {
  outbox = { ...outbox, ...change };
  for (const listener of listeners) listener();
}

/** Reads the kept sets of the signed-in person, and that there are some of anybody else. @returns ends it */
export function startOutbox(next: Owner): () => void {
  owner = next;
  failures = 0;
  channel = new BroadcastChannel(SENDING_LOCK);
  channel.onmessage = () => void refresh();
  const sendNow = () => void sendDue();
  const sendWhenSignedIn = () => {
    if (currentSession().status === "signed_in") sendNow();
  };
  const sendWhenLive = () => {
    if (getConnection().status === "live") sendNow();
  };
  addEventListener("online", sendNow);
  const unsubscribeConnection = subscribeConnection(sendWhenLive);
  const unsubscribeSession = subscribeSession(sendWhenSignedIn);
  const offSignOut = onSignOut(() => removeSetsOf(next.userId).finally(notifyTabs));
  void refresh().then(sendNow);
  return () => {
    removeEventListener("online", sendNow);
    unsubscribeConnection();
    unsubscribeSession();
    offSignOut();
    channel?.close();
    channel = null;
    clearTimeout(timer);
    owner = null;
    setOutbox(EMPTY);
  };
}

const notifyTabs = () => channel?.postMessage("changed");

/** Reads the store again. A set of another tab counts too. */
async function refresh(): Promise<void> {
  const user = owner?.userId;
  if (user === undefined) return;
  try {
    const { sets, unreadable } = await listSets(user);
    const others = await listSetsOfOthers(user, serverNow() - ASK_AFTER_MS);
    if (owner?.userId === user) setOutbox({ sets, unreadable, others, failure: null });
  } catch {
    if (owner?.userId === user) setOutbox({ failure: "unavailable" });
  }
}

async function afterChange(): Promise<void> {
  await refresh();
  notifyTabs();
}

/** How many sets of the signed-in person sign-out would delete: waiting, unreadable, and in their first attempt. */
export async function countUnsent(): Promise<number> {
  await refresh();
  return countOwn(outbox);
}

export const countOwn = ({ sets, unreadable, submitting }: Outbox): number =>
  new Set([...sets.map(({ id }) => id), ...unreadable, ...submitting]).size;

/** One attempt. @throws Problem `unreachable` also when nothing answers in time */
async function post({ id, patientId, body }: WaitingSet): Promise<FiledSet> {
  const abort = new AbortController();
  let deadline: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    deadline = setTimeout(() => {
      abort.abort();
      reject(new Problem(0, "unreachable", "", null));
    }, SEND_DEADLINE_MS);
  });
  // The renewal of a token has a longer limit of its own, so aborting the request is not enough.
  return Promise.race([postSet(patientId, id, body, abort.signal), timeout]).finally(() => clearTimeout(deadline));
}

export type Submission =
  | { kind: "filed"; answer: FiledSet }
  /** Kept, and sent later. */
  | { kind: "waiting" }
  | { kind: "refused"; problem: Problem }
  /** Neither filed nor known to be kept: the form keeps it, and a retry must use the same set. */
  | { kind: "not_kept"; why: KeepFailure; set: WaitingSet };

export function newSet(patientId: string, body: SetBody): WaitingSet {
  if (!owner) throw new Error("nobody is signed in");
  return { id: crypto.randomUUID(), owner: owner.userId, hospitalId: owner.hospitalId, patientId, body, refusal: null };
}

/**
 * Sends a set. It is kept before the first attempt, so that closing the page in the middle loses nothing.
 * @param replaces id of a refused set that this one corrects
 */
export function submitSet(set: WaitingSet, replaces: string | null): Promise<Submission> {
  setOutbox({ submitting: [...outbox.submitting, set.id] });
  return attempt(set, replaces).finally(() => setOutbox({ submitting: outbox.submitting.filter((id) => id !== set.id) }));
}

function attempt(set: WaitingSet, replaces: string | null): Promise<Submission> {
  // No other tab sends it meanwhile.
  return navigator.locks.request(setLock(set.id), async () => {
    const failure = await addSet(set).then(
      () => null,
      (error: unknown) => (error instanceof KeepError ? error.reason : "unavailable"),
    );
    try {
      const answer = await post(set);
      if (isPerhapsKept(failure)) await forget(set.id);
      if (replaces !== null) await forget(replaces);
      await afterChange();
      return { kind: "filed", answer };
    } catch (error) {
      const problem = toProblem(error);
      if (judgeFailure(problem.status, problem.code) === "refused") {
        if (isPerhapsKept(failure)) await forget(set.id);
        await afterChange();
        return { kind: "refused", problem };
      }
      if (failure !== null) return { kind: "not_kept", why: failure, set };
      if (replaces !== null) await forget(replaces);
      await afterChange();
      scheduleRetry();
      return { kind: "waiting" };
    }
  });
}

/** A store that did not answer in time may have kept the set all the same. */
const isPerhapsKept = (failure: KeepFailure | null) => failure === null || failure === "unknown";

/** A set that cannot be removed is sent again with its key, which changes nothing. */
const forget = (id: string) => removeSet(id).catch(() => undefined);

/** The form has other values now: a set that may be kept must not be sent beside them. */
export const dropUnsent = (set: WaitingSet): Promise<void> =>
  navigator.locks.request(setLock(set.id), () => forget(set.id)).then(afterChange);

export async function discardSet(id: string): Promise<void> {
  await removeSet(id);
  await afterChange();
}

/** Sends a set that its owner was asked about. */
export const sendAnyway = (id: string): Promise<void> => sendDue(id);

/** Sends what may be sent; in one tab at a time. @param chosen id of a set that is sent although it is old */
async function sendDue(chosen: string | null = null): Promise<void> {
  if (!owner || currentSession().status !== "signed_in") return;
  await navigator.locks.request(SENDING_LOCK, { ifAvailable: chosen === null }, async (lock) => {
    if (!lock) return;
    await refresh();
    const canSend = (set: WaitingSet) => {
      const state = getWaitingState(set, serverNow(), owner?.hospitalId ?? null);
      return state === "waiting" || (state === "ask" && set.id === chosen);
    };
    for (const set of outbox.sets.filter(canSend)) if (!(await sendKept(set))) break;
  });
  scheduleRetry();
}

/** @returns false when further sets would fail as well */
async function sendKept(set: WaitingSet): Promise<boolean> {
  return navigator.locks.request(setLock(set.id), { ifAvailable: true }, async (lock) => {
    // The form of some tab is sending it, or the owner signed out.
    if (!lock || !(await isKept(set))) return owner !== null;
    setOutbox({ sendingId: set.id });
    try {
      const answer = await post(set);
      failures = 0;
      await forget(set.id);
      for (const listener of filedListeners) listener(set, answer);
      return true;
    } catch (error) {
      const problem = toProblem(error);
      const verdict = judgeFailure(problem.status, problem.code);
      if (verdict === "refused") await updateSet({ ...set, refusal: toRefusal(problem) }).catch(() => undefined);
      else failures++;
      // An internal error may concern this set alone.
      return verdict === "refused" || problem.status === 500;
    } finally {
      setOutbox({ sendingId: null });
      await afterChange();
    }
  });
}

async function isKept({ id, owner: user }: WaitingSet): Promise<boolean> {
  if (owner?.userId !== user) return false;
  const { sets } = await listSets(user).catch(() => ({ sets: [] }));
  return sets.some((kept) => kept.id === id);
}

function scheduleRetry(): void {
  clearTimeout(timer);
  if (!owner || !outbox.sets.some((set) => getWaitingState(set, serverNow(), owner?.hospitalId ?? null) === "waiting")) return;
  timer = setTimeout(() => void sendDue(), retryDelayMs(Math.max(1, failures), Math.random()));
}
