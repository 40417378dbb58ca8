// Link to the form for a set of observations.
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "../../platform/messages/translate.ts";

export function EnterObservations({ patientId }: { patientId: string }) {
  const t = useTranslation();
  return (
    <Button component={Link} to={`/patients/${patientId}/observations/new`}>
      {t("set.enter")}
    </Button>
  );
}
