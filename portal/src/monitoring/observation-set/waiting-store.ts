// Sets that wait to be sent, in IndexedDB: encrypted under a key that scripts can use and never read, and per person.
import { MAX_WAITING_SETS, type WaitingSet } from "./waiting-set.ts";

const DATABASE = "edgecare.waiting-sets";
const VERSION = 1;
const SETS = "sets";
const KEYS = "keys";

/** `measuredAt`: epoch milliseconds, readable for everybody who uses this browser. */
type KeptSet = { id: string; owner: string; measuredAt?: number };
/** A set whose content was deleted has no `sealed`. */
type SealedSet = KeptSet & { iv: Uint8Array<ArrayBuffer>; sealed?: ArrayBuffer };
type OwnerKey = { owner: string; key: CryptoKey };

/** `unavailable`: no IndexedDB (private mode) or no room. `unknown`: no answer of it, so that the change may still be made. */
export type KeepFailure = "full" | "unavailable" | "unknown";
export class KeepError extends Error {
  readonly reason: KeepFailure;
  constructor(reason: KeepFailure, cause?: unknown) {
    super(reason, { cause });
    this.name = "KeepError";
    this.reason = reason;
  }
}

/** A database that is blocked or broken must hold up nobody at the bedside, ms. */
const DEADLINE_MS = 3_000;

let opened: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opened ??= openDatabase().catch((error: unknown) => {
    opened = null;
    throw error;
  });
  return opened;
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(SETS, { keyPath: "id" }).createIndex("owner", "owner");
      request.result.createObjectStore(KEYS, { keyPath: "owner" });
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
    request.onsuccess = () => {
      const database = request.result;
      const close = () => {
        database.close();
        opened = null;
      };
      database.onversionchange = close;
      database.onclose = close;
      resolve(database);
    };
  });
}

const settle = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Runs in one transaction; resolves once it is on the disk. @param run awaits nothing but requests of this transaction */
async function transact<T>(
  stores: string[],
  mode: IDBTransactionMode,
  run: (store: (name: string) => IDBObjectStore) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const database = await open();
  signal?.throwIfAborted();
  const transaction = database.transaction(stores, mode, { durability: "strict" });
  signal?.addEventListener("abort", () => abort(transaction));
  const ended = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
  });
  const result = run((name) => transaction.objectStore(name)).catch((error: unknown) => {
    if (mode === "readwrite") abort(transaction);
    throw error;
  });
  const [value] = await Promise.all([result, ended]);
  return value;
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It has ended already.
  }
}

/** @param work ends by the signal, unless it is being written to the disk already  @throws KeepError */
async function bounded<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new AbortController();
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new KeepError("unknown"));
      late.abort();
    }, DEADLINE_MS);
  });
  try {
    return await Promise.race([work(late.signal), deadline]);
  } catch (error) {
    throw error instanceof KeepError ? error : new KeepError("unavailable", error);
  } finally {
    clearTimeout(timer);
  }
}

/** The person's key; the first tab that needs one makes it. */
async function ownKey(owner: string): Promise<CryptoKey> {
  const existing = await findKey(owner);
  if (existing) return existing;
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  return transact([KEYS], "readwrite", async (store) => {
    const kept: OwnerKey | undefined = await settle(store(KEYS).get(owner));
    if (kept) return kept.key;
    await settle(store(KEYS).add({ owner, key } satisfies OwnerKey));
    return key;
  });
}

const findKey = (owner: string): Promise<CryptoKey | null> =>
  transact([KEYS], "readonly", async (store) => {
    const kept: OwnerKey | undefined = await settle(store(KEYS).get(owner));
    return kept?.key ?? null;
  });

/** Binds a record to its owner and id. */
const additionalData = ({ id, owner }: Pick<SealedSet, "id" | "owner">) => new TextEncoder().encode(`${owner} ${id}`);

async function seal(set: WaitingSet): Promise<SealedSet> {
  const { id, owner } = set;
  const measuredAt = Date.parse(set.body.effective_at);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const content = new TextEncoder().encode(JSON.stringify(set));
  const algorithm = { name: "AES-GCM", iv, additionalData: additionalData(set) };
  return { id, owner, measuredAt, iv, sealed: await crypto.subtle.encrypt(algorithm, await ownKey(owner), content) };
}

async function unseal(record: SealedSet, key: CryptoKey | null): Promise<WaitingSet | null> {
  if (!key || !record.sealed) return null;
  const algorithm = { name: "AES-GCM", iv: record.iv, additionalData: additionalData(record) };
  try {
    return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, key, record.sealed)));
  } catch {
    return null;
  }
}

/** Keeps a set; one that is kept already changes nothing. @throws KeepError `full` beyond twenty sets of this browser */
export const addSet = (set: WaitingSet): Promise<void> =>
  bounded(async (signal) => {
    const record = await seal(set);
    const add = async (store: (name: string) => IDBObjectStore) => {
      if ((await settle(store(SETS).count(set.id))) > 0) return;
      if ((await settle(store(SETS).count())) >= MAX_WAITING_SETS) throw new KeepError("full");
      await settle(store(SETS).add(record));
    };
    await transact([SETS], "readwrite", add, signal);
  });

/** Changes a set that is still kept. @throws KeepError */
export const updateSet = (set: WaitingSet): Promise<void> =>
  bounded(async () => {
    const record = await seal(set);
    await transact([SETS], "readwrite", async (store) => {
      // Sign-out or another tab may have removed it.
      if ((await settle(store(SETS).count(set.id))) > 0) await settle(store(SETS).put(record));
    });
  });

/** @throws KeepError */
export const removeSet = (id: string): Promise<void> =>
  bounded(() =>
    transact([SETS], "readwrite", async (store) => {
      await settle(store(SETS).delete(id));
    }),
  );

/** A person's sets, oldest measurement first, and the ids of those that cannot be read any more. @throws KeepError */
export const listSets = (owner: string): Promise<{ sets: WaitingSet[]; unreadable: string[] }> =>
  bounded(async () => {
    const records: SealedSet[] = await transact([SETS], "readonly", (store) => settle(store(SETS).index("owner").getAll(owner)));
    const key = records.length > 0 ? await findKey(owner) : null;
    const read = await Promise.all(records.map(async (record) => ({ id: record.id, set: await unseal(record, key) })));
    const sets = read.flatMap(({ set }) => (set ? [set] : []));
    return {
      sets: sets.sort((a, b) => Date.parse(a.body.effective_at) - Date.parse(b.body.effective_at)),
      unreadable: read.flatMap(({ id, set }) => (set ? [] : [id])),
    };
  });

/** A set of somebody else whose session expired. `isDeleted`: its content was too old to keep. */
export type SetOfOther = { id: string; measuredAt: number | null; isDeleted: boolean };

/**
 * The sets of everybody else, oldest measurement first: not their content. Deletes the content of those measured until `keptSince`,
 * epoch milliseconds, and keys that nothing is sealed with any more.
 * @throws KeepError
 */
export const listSetsOfOthers = (owner: string, keptSince: number): Promise<SetOfOther[]> =>
  bounded(() =>
    transact([SETS, KEYS], "readwrite", async (store) => {
      const all: SealedSet[] = await settle(store(SETS).getAll());
      const others = all.filter((set) => set.owner !== owner);
      for (const set of others) {
        if (!set.sealed || (set.measuredAt ?? Number.POSITIVE_INFINITY) > keptSince) continue;
        delete set.sealed;
        await settle(store(SETS).put(set));
      }
      for (const other of await settle(store(KEYS).getAllKeys()))
        if (other !== owner && !others.some((set) => set.owner === other && set.sealed)) await settle(store(KEYS).delete(other));
      return others
        .map(({ id, measuredAt = null, sealed }) => ({ id, measuredAt, isDeleted: sealed === undefined }))
        .sort((a, b) => (a.measuredAt ?? 0) - (b.measuredAt ?? 0));
    }),
  );

/** Deletes a person's sets and key. @throws KeepError */
export const removeSetsOf = (owner: string): Promise<void> =>
  bounded(() =>
    transact([SETS, KEYS], "readwrite", async (store) => {
      for (const id of await settle(store(SETS).index("owner").getAllKeys(owner))) await settle(store(SETS).delete(id));
      await settle(store(KEYS).delete(owner));
    }),
  );
