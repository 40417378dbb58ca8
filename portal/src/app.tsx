// Root component: theme, queries and session.
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useEffect, useState, useSyncExternalStore } from "react";
import { getTheme, subscribePreferences } from "./accounts/session/preferences.ts";
import { restoreSession } from "./accounts/session/session.ts";
import { useSession } from "./accounts/session/use-session.ts";
import { toProblem } from "./platform/api/problem.ts";
import { queryClient } from "./platform/api/query-client.ts";
import { LoadError, Loading } from "./platform/design/query-states.tsx";
import { mantineTheme as mantine } from "./platform/design/theme.ts";
import { useTranslation } from "./platform/messages/translate.ts";
import { router } from "./router.tsx";

export function App() {
  const colorScheme = useSyncExternalStore(subscribePreferences, getTheme);
  return (
    <MantineProvider
      theme={mantine}
      withCssVariables={false}
      withGlobalClasses={false}
      {...(colorScheme === "auto" ? { defaultColorScheme: "auto" as const } : { forceColorScheme: colorScheme })}
    >
      <QueryClientProvider client={queryClient}>
        <SessionStart />
      </QueryClientProvider>
    </MantineProvider>
  );
}

/** A wall display recovers by itself when the service is back. */
const RETRY_MS = 5_000;

/** Nothing is rendered or redirected until the session state is known. */
function SessionStart() {
  const t = useTranslation();
  const { status } = useSession();
  const [startError, setStartError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    restoreSession().catch((error) => {
      setStartError(error);
      timer = setTimeout(() => setAttempt(attempt + 1), Math.max(RETRY_MS, toProblem(error).retryAfterMs ?? 0));
    });
    return () => clearTimeout(timer);
  }, [attempt]);
  if (startError && status === "starting") {
    return (
      <main>
        <h1>{t("common.edgecare")}</h1>
        <LoadError error={startError} retry={() => setAttempt(attempt + 1)} />
      </main>
    );
  }
  return status === "starting" ? <Loading /> : <RouterProvider router={router} />;
}
