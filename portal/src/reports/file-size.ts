// Sizes of files in words.
import { number } from "../design/time.ts";
import { say } from "../messages/index.ts";

const MB = 1024 * 1024;

export const sizeOf = (bytes: number): string =>
  bytes < MB
    ? say("reports.kilobytes", { n: number(Math.ceil(bytes / 1024)) })
    : say("reports.megabytes", { n: number(Math.round((bytes / MB) * 10) / 10) });
