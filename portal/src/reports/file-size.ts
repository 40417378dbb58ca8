// Formats file sizes.
import { formatNumber } from "../platform/design/format.ts";
import { t } from "../platform/messages/translate.ts";

const MB = 1024 * 1024;

export const formatFileSize = (bytes: number): string =>
  bytes < MB
    ? t("reports.kilobytes", { n: formatNumber(Math.ceil(bytes / 1024)) })
    : t("reports.megabytes", { n: formatNumber(Math.round((bytes / MB) * 10) / 10) });
