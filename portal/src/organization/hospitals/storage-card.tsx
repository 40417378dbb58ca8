// Storage of a hospital: use of the day and in all against its quotas.
import { useQuery } from "@tanstack/react-query";
import { formatNumber, formatTime } from "../../platform/design/format.ts";
import { DescriptionList, FoldedCard } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { readStorage, type StorageUse } from "./api.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

export function StorageCard({ hospitalId }: { hospitalId: string }) {
  const t = useTranslation();
  return (
    <FoldedCard title={t("hospitals.storage")}>
      <Storage hospitalId={hospitalId} />
    </FoldedCard>
  );
}

function Storage({ hospitalId }: { hospitalId: string }) {
  const t = useTranslation();
  const query = useQuery({ queryKey: ["hospitals", "storage", hospitalId], queryFn: () => readStorage(hospitalId) });
  const format = (bytes: number) =>
    bytes < GIB
      ? t("hospitals.mebibytes", { n: formatNumber(Math.ceil(bytes / MIB)) })
      : t("hospitals.gibibytes", { n: formatNumber(Math.round((bytes / GIB) * 10) / 10) });
  const today = ({ today, day_quota }: StorageUse) =>
    t("hospitals.used_of", {
      used: format(today),
      quota: format(day_quota),
      percent: formatNumber(Math.floor((100 * today) / day_quota)),
    });
  const total = (use: StorageUse) => today({ ...use, today: use.total, day_quota: use.ceiling });
  return (
    <QueryBoundary query={query}>
      {({ records, files, samples_today, imported_bytes, day_ends_at }) => (
        <>
          <DescriptionList
            items={[
              [t("hospitals.records_today"), today(records)],
              [t("hospitals.records_total"), total(records)],
              [t("hospitals.files_today"), today(files)],
              [t("hospitals.files_total"), total(files)],
              [t("hospitals.samples_today"), formatNumber(samples_today)],
              [t("hospitals.imported"), format(imported_bytes)],
            ]}
          />
          <p>{t("hospitals.day_ends", { time: formatTime(day_ends_at) })}</p>
        </>
      )}
    </QueryBoundary>
  );
}
