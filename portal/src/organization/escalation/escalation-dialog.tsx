// Dialog with the escalation settings of a hospital or a ward.
import { useQuery } from "@tanstack/react-query";
import { queryClient } from "../../platform/api/query-client.ts";
import { Dialog } from "../../platform/design/dialog.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { readEscalation, type Scope } from "./api.ts";
import { EscalationForm } from "./escalation-form.tsx";

export const escalationQuery = (scope: Scope) => ({
  queryKey: ["escalation", scope.kind, scope.id],
  queryFn: () => readEscalation(scope),
});

export function EscalationDialog({ scope, name, onClose }: { scope: Scope; name: string; onClose: () => void }) {
  const t = useTranslation();
  const query = useQuery({ ...escalationQuery(scope), staleTime: 0 });
  // A ward inherits from its hospital.
  const onChanged = () => queryClient.invalidateQueries({ queryKey: ["escalation"] });
  return (
    <Dialog title={t("escalation.title", { name })} onClose={onClose}>
      <QueryBoundary query={query}>
        {(settings) => (
          <EscalationForm key={settings.version} scope={scope} settings={settings} onChanged={onChanged} onClose={onClose} />
        )}
      </QueryBoundary>
    </Dialog>
  );
}
