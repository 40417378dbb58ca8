// The certificate of an erasure: what was deleted, and the file to keep.
import { Button } from "@mantine/core";
import { Table } from "../platform/design/data-table.tsx";
import { formatDateTime, formatNumber } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card, DescriptionList } from "../platform/design/page.tsx";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { saveFile } from "../platform/design/save-file.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import { type Certificate, useCertificate } from "./api.ts";
import classes from "./erasure.module.css";

export function CertificateCard({ erasureId, zone }: { erasureId: string; zone: string | undefined }) {
  const t = useTranslation();
  const query = useCertificate(erasureId);
  return (
    <Card title={t("erasure.certificate")}>
      <QueryBoundary query={query}>{(certificate) => <CertificateView certificate={certificate} zone={zone} />}</QueryBoundary>
    </Card>
  );
}

function save(certificate: Certificate): void {
  const text = `${JSON.stringify(certificate, null, 2)}\n`;
  saveFile(new Blob([text], { type: "application/json" }), `erasure-${certificate.erasure_id}.json`);
}

function CertificateView({ certificate, zone }: { certificate: Certificate; zone: string | undefined }) {
  const t = useTranslation();
  const { started_at, erased_at, counts, list_sha256, signature } = certificate;
  return (
    <div className={layout.stack}>
      <DescriptionList
        items={[
          [t("erasure.started_at"), formatDateTime(started_at, zone)],
          [t("erasure.erased_at"), formatDateTime(erased_at, zone)],
          [
            t("erasure.list_hash"),
            <code key="hash" className={classes.long}>
              {list_sha256}
            </code>,
          ],
          [t("erasure.signature"), t("erasure.signed_with", { algorithm: signature.algorithm, key: signature.key_id })],
        ]}
      />
      <Table
        label={t("erasure.deleted")}
        columns={[
          { label: t("erasure.store"), cell: ({ store }) => <code className={classes.long}>{store}</code> },
          { label: t("erasure.deleted"), cell: ({ count }) => formatNumber(count), align: "end" },
        ]}
        items={counts}
        rowKey={({ store }) => store}
      />
      <div>
        <Button variant="default" onClick={() => save(certificate)}>
          {t("erasure.save_certificate")}
        </Button>
      </div>
    </div>
  );
}
