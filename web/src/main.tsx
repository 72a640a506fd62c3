import "@mantine/core/styles.css";
import "./style.css";

import { MantineProvider } from "@mantine/core";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { lazy, StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";

import { ApiError } from "./api/client";
import { router } from "./router";
import { theme, variables } from "./theme";

const Notices = lazy(async () => ({ default: (await import("./ui/Notices")).Notices }));

function ask(error: unknown): void {
  if (error instanceof ApiError && error.status === 401 && router.state.location.pathname !== "/sign-in") {
    void router.navigate({ to: "/sign-in", search: { next: router.state.location.href } });
  }
}

const client = new QueryClient({
  queryCache: new QueryCache({ onError: ask }),
  mutationCache: new MutationCache({ onError: ask }),
  defaultOptions: {
    // The server may be on this very machine, which needs no network to be reached.
    mutations: { networkMode: "always" },
    queries: {
      networkMode: "always",
      staleTime: 5_000,
      retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
});

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <Suspense>
        <Notices />
      </Suspense>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
