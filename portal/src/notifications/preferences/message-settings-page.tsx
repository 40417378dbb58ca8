// Message settings of the own account: language, quiet hours, push in this browser, channels per kind, and tests of channels.
import { Page } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { ChannelTests } from "./channel-tests.tsx";
import { ChannelsCard } from "./channels-card.tsx";
import { PushCard } from "./push-card.tsx";
import { SettingsCard } from "./settings-card.tsx";

export function MessageSettingsPage() {
  const t = useTranslation();
  return (
    <Page title={t("notify.title")}>
      <PushCard />
      <ChannelsCard />
      <ChannelTests />
      <SettingsCard />
    </Page>
  );
}
