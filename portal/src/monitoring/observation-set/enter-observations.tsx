// Link to the form for a set of observations, where the record may be changed.
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useIsReadOnly } from "../../patients/record/use-patient-record.ts";
import { useTranslation } from "../../platform/messages/translate.ts";

export function EnterObservations({ patientId }: { patientId: string }) {
  const t = useTranslation();
  if (useIsReadOnly(patientId)) return null;
  return (
    <Button component={Link} to={`/patients/${patientId}/observations/new`}>
      {t("set.enter")}
    </Button>
  );
}
