// What every page stands in: the theme, the queries, the session.
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useEffect, useState, useSyncExternalStore } from "react";
import { queries } from "./api/queries.ts";
import { Failed, Loading } from "./design/states.tsx";
import { theme as mantine } from "./design/theme.ts";
import { useSay } from "./messages/index.ts";
import { router } from "./router.tsx";
import { subscribe, theme } from "./session/preferences.ts";
import { start } from "./session/session.ts";
import { useSession } from "./session/use-session.ts";

export function App() {
  const scheme = useSyncExternalStore(subscribe, theme);
  return (
    <MantineProvider
      theme={mantine}
      withCssVariables={false}
      withGlobalClasses={false}
      {...(scheme === "auto" ? { defaultColorScheme: "auto" as const } : { forceColorScheme: scheme })}
    >
      <QueryClientProvider client={queries}>
        <Started />
      </QueryClientProvider>
    </MantineProvider>
  );
}

/** A screen on a wall comes back by itself when the service does. */
const AGAIN_MS = 5_000;

/** Nothing is decided before it is known whether somebody is signed in; until then the address keeps its page. */
function Started() {
  const say = useSay();
  const { status } = useSession();
  const [failed, setFailed] = useState<unknown>(null);
  const [tried, setTried] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    start().catch((error) => {
      setFailed(error);
      timer = setTimeout(() => setTried(tried + 1), AGAIN_MS);
    });
    return () => clearTimeout(timer);
  }, [tried]);
  if (failed && status === "starting") {
    return (
      <main>
        <h1>{say("common.edgecare")}</h1>
        <Failed error={failed} retry={() => setTried(tried + 1)} />
      </main>
    );
  }
  return status === "starting" ? <Loading /> : <RouterProvider router={router} />;
}
