// The retention policy of a hospital beside the shortest periods of its country, and a dry run of it.
import { Button } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { HospitalSelect } from "../organization/hospitals/hospital-select.tsx";
import { useHospitalTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { Table } from "../platform/design/data-table.tsx";
import { formatCountry, formatDate, formatDateTime, formatNumber } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card, Page } from "../platform/design/page.tsx";
import { QueryBoundary, RefetchError } from "../platform/design/query-states.tsx";
import { usePageZone } from "../platform/design/screen-zone.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import { RECORD_KINDS, type RetentionPolicy, type RetentionSettings, useRetention, useRetentionPreview } from "./api.ts";
import { RetentionDialog } from "./retention-dialog.tsx";

export function RetentionPage() {
  const t = useTranslation();
  const { hospital } = useMe();
  const search = useSearch({ from: "/signed-in/admin/retention" });
  const navigate = useNavigate({ from: "/admin/retention" });
  const hospitalId = hospital?.id ?? search.hospital;
  return (
    <Page title={t("nav.retention")}>
      <p>{t("erasure.retention_text")}</p>
      {!hospital && (
        <div className={layout.filters}>
          <HospitalSelect
            value={search.hospital ?? ""}
            onChange={(id) => void navigate({ search: { hospital: id || undefined }, replace: true })}
            emptyLabel={t("common.required_choice")}
          />
        </div>
      )}
      {hospitalId && <Retention key={hospitalId} hospitalId={hospitalId} />}
    </Page>
  );
}

function Retention({ hospitalId }: { hospitalId: string }) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(hospitalId);
  usePageZone(zone);
  const query = useRetention(hospitalId);
  return (
    <>
      <Card title={t("erasure.periods")}>
        <QueryBoundary query={query}>{(settings) => <Periods settings={settings} zone={zone} />}</QueryBoundary>
        {query.data && <RefetchError error={query.error} />}
      </Card>
      <Card title={t("erasure.dry_run")}>
        <DryRun hospitalId={hospitalId} zone={zone} />
      </Card>
    </>
  );
}

function Periods({ settings, zone }: { settings: RetentionSettings; zone: string | undefined }) {
  const t = useTranslation();
  const [isEditing, setIsEditing] = useState(false);
  const { jurisdiction, minimum, own, in_force, updated_at } = settings;
  const years = (policy: RetentionPolicy | null, kind: (typeof RECORD_KINDS)[number]) =>
    policy === null ? t("erasure.not_set") : t("erasure.years", { n: policy.years[kind] });
  const age = (policy: RetentionPolicy | null) => {
    if (policy === null) return t("erasure.not_set");
    return policy.minors_until_age === null ? t("erasure.as_adults") : t("erasure.age", { n: policy.minors_until_age });
  };
  const rows = [
    ...RECORD_KINDS.map((kind) => ({
      name: t(`erasure.kind.${kind}`),
      values: [years(minimum, kind), years(own, kind), years(in_force, kind)],
    })),
    { name: t("erasure.minors"), values: [age(minimum), age(own), age(in_force)] },
  ];
  return (
    <div className={layout.stack}>
      <p>{jurisdiction === null ? t("erasure.no_country") : t("erasure.country", { country: formatCountry(jurisdiction) })}</p>
      <Table
        label={t("erasure.periods")}
        columns={[
          { label: t("erasure.kind"), cell: ({ name }) => name },
          { label: t("erasure.minimum"), cell: ({ values }) => values[0] },
          { label: t("erasure.own"), cell: ({ values }) => values[1] },
          { label: t("erasure.in_force"), cell: ({ values }) => <strong>{values[2]}</strong> },
        ]}
        items={rows}
        rowKey={({ name }) => name}
      />
      {updated_at && <p className={layout.muted}>{t("erasure.policy_changed", { at: formatDateTime(updated_at, zone) })}</p>}
      <div>
        <Button variant="default" onClick={() => setIsEditing(true)}>
          {t("erasure.change_policy")}
        </Button>
      </div>
      {isEditing && <RetentionDialog settings={settings} onClose={() => setIsEditing(false)} />}
    </div>
  );
}

function DryRun({ hospitalId, zone }: { hospitalId: string; zone: string | undefined }) {
  const t = useTranslation();
  const query = useRetentionPreview(hospitalId);
  return (
    <div className={layout.stack}>
      <p>{t("erasure.dry_run_text")}</p>
      <QueryBoundary query={query}>
        {({ kinds }) => (
          <Table
            label={t("erasure.dry_run")}
            columns={[
              { label: t("erasure.kind"), cell: ({ kind }) => t(`erasure.kind.${kind}`) },
              { label: t("erasure.period"), cell: ({ years }) => t("erasure.years", { n: years }) },
              { label: t("erasure.older_than"), cell: ({ older_than }) => formatDate(older_than, zone) },
              {
                label: t("erasure.past_period"),
                cell: ({ count, is_exact }) =>
                  is_exact ? formatNumber(count) : t("erasure.more_than", { n: formatNumber(count) }),
                align: "end",
              },
            ]}
            items={kinds}
            rowKey={({ kind }) => kind}
          />
        )}
      </QueryBoundary>
      {query.data && <RefetchError error={query.error} />}
    </div>
  );
}
