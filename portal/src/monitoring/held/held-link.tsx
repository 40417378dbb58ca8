// Link to the held samples, for the roles that may see them: those whose navigation has the uploads.
import { useMe } from "../../accounts/session/use-session.ts";
import { LinkButton } from "../../platform/design/link-button.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { navigationItems } from "../../shell/navigation.ts";

export function HeldLink() {
  const t = useTranslation();
  const { role } = useMe();
  if (!navigationItems(role).some(({ to }) => to === "/uploads")) return null;
  return (
    <LinkButton to="/uploads/held" search={{ state: "held" }} variant="default">
      {t("held.title")}
    </LinkButton>
  );
}
