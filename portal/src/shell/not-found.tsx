// Page for unknown addresses.

import { LanguageButtons } from "../accounts/session/language-buttons.tsx";
import { Page } from "../platform/design/page.tsx";
import { NoAccess } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";

export function NotFound() {
  const t = useTranslation();
  return (
    <main>
      <LanguageButtons />
      <Page title={t("common.not_found")}>
        <NoAccess />
      </Page>
    </main>
  );
}
