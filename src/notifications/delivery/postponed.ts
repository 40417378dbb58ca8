// Quiet hours: which deliveries wait, and until when.
import type { Db } from "../../platform/db/client.ts";
import type { Delivery } from "../channel.ts";

/** By id of the delivery, when its recipient's quiet hours end (epoch milliseconds); those without an entry are sent now. */
export type Postponed = (db: Db, deliveries: readonly Delivery[], now: number) => Promise<ReadonlyMap<string, number>>;

export const postponed: Postponed = async () => new Map();
