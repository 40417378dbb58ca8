// An address that leads nowhere, for whoever comes there.
import { Page } from "../design/page.tsx";
import { NoAccess } from "../design/states.tsx";
import { useSay } from "../messages/index.ts";
import { Languages } from "../session/languages.tsx";

export function NotFound() {
  const say = useSay();
  return (
    <main>
      <Languages />
      <Page title={say("common.not_found")}>
        <NoAccess />
      </Page>
    </main>
  );
}
