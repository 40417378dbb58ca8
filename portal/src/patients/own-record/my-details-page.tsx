// A patient's own details: what the record says, its history, who looked at it, and the hospital's record to add.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { SELF_CARE_HOSPITAL_ID } from "../../organization/hospitals/api.ts";
import { hospitalQuery, useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { NAMES_STALE_MS } from "../../platform/api/query-client.ts";
import layout from "../../platform/design/layout.module.css";
import { Card } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import type { PatientSummary } from "../api.ts";
import { ChangesCard } from "../identity/changes-card.tsx";
import { IdentityFacts } from "../identity/identity-facts.tsx";
import { IdentityForm } from "../identity/identity-form.tsx";
import { useEditing } from "../identity/use-editing.ts";
import { patientQuery } from "../record/use-patient-record.ts";
import { AccessActor } from "./access-actor.tsx";
import { ClaimRecord } from "./claim-record.tsx";
import classes from "./me.module.css";
import { MyPage } from "./my-page.tsx";

export function MyDetailsPage() {
  const t = useTranslation();
  return <MyPage title={t("me.details")}>{(record) => <Details key={record.patient_id} record={record} />}</MyPage>;
}

function Details({ record }: { record: PatientSummary }) {
  const t = useTranslation();
  const { patient_id, hospital_id } = record;
  const zone = useHospitalTimeZone(hospital_id);
  return (
    <div className={layout.stack}>
      <OwnIdentityCard record={record} />
      <ChangesCard
        patientId={patient_id}
        zone={zone}
        renderActor={({ changed_by }) => (
          <AccessActor actor={changed_by} actorHospitalId={changed_by.role === "admin" ? null : hospital_id} />
        )}
      />
      <p>
        <Link to="/me/access" className={classes.more}>
          {t("me.who_saw")}
        </Link>
      </p>
      <p>
        <Link to="/me/export" className={classes.more}>
          {t("exports.mine")}
        </Link>
      </p>
      <p>
        <Link to="/me/erasure" className={classes.more}>
          {t("erasure.my_link")}
        </Link>
      </p>
      <Card title={t("me.claim.title")}>
        <p>{t("me.claim.text")}</p>
        <ClaimRecord />
      </Card>
    </div>
  );
}

/** Patients change the record that they registered themselves; a hospital corrects its own. */
function OwnIdentityCard({ record }: { record: PatientSummary }) {
  const t = useTranslation();
  const isOwn = record.hospital_id === SELF_CARE_HOSPITAL_ID;
  const query = useQuery(patientQuery(record.patient_id));
  const hospital = useQuery({ ...hospitalQuery(record.hospital_id), staleTime: NAMES_STALE_MS });
  const { editing, setEditing, editButton } = useEditing();
  return (
    <Card
      title={t("me.details")}
      actions={
        isOwn &&
        !editing &&
        query.data && (
          <Button ref={editButton} variant="default" onClick={() => setEditing(query.data)}>
            {t("identity.edit")}
          </Button>
        )
      }
    >
      {editing ? (
        <IdentityForm {...editing} isStaff={false} onDone={() => setEditing(null)} />
      ) : (
        <QueryBoundary query={query}>{({ data }) => <IdentityFacts patient={data} />}</QueryBoundary>
      )}
      {!isOwn && <p className={classes.ask}>{t("me.corrected_by", { hospital: hospital.data?.data.name ?? "…" })}</p>}
    </Card>
  );
}
