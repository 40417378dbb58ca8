// What the files of record exports are sealed for.
import type { FileOwner } from "../../platform/files.ts";

export const exportRecordId = (exportId: string): FileOwner => `record-export:${exportId}`;
