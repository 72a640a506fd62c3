// The pages and their addresses. Each page is loaded when it is first visited.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";

import { read } from "./run/search";

const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);
const number = (value: unknown): number | undefined => (Number(value) > 0 ? Number(value) : undefined);

const one = <T extends string>(allowed: readonly T[], value: unknown): T | undefined => allowed.find((known) => known === value);

/** An address names only what is set in it. */
const compact = <T extends object>(search: T): Partial<T> =>
  Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as Partial<T>;

const root = createRootRoute({ notFoundComponent: lazyRouteComponent(() => import("./pages/NotFound"), "NotFound") });
const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>) => compact({ next: text(search.next) }),
  component: lazyRouteComponent(() => import("./pages/SignIn"), "SignIn"),
});
const setUp = createRoute({
  getParentRoute: () => root,
  path: "/set-up",
  component: lazyRouteComponent(() => import("./pages/SetUp"), "SetUp"),
});
const shell = createRoute({ getParentRoute: () => root, id: "shell", component: lazyRouteComponent(() => import("./ui/Shell"), "Shell") });
const home = createRoute({
  getParentRoute: () => shell,
  path: "/",
  component: lazyRouteComponent(() => import("./pages/Home"), "Home"),
});
const flows = createRoute({
  getParentRoute: () => shell,
  path: "/flows",
  validateSearch: (search: Record<string, unknown>) => compact({
    page: number(search.page),
    search: text(search.search),
    label: text(search.label),
    make: one(["new", "import"], search.make),
  }),
  component: lazyRouteComponent(() => import("./pages/Flows"), "Flows"),
});
const flow = createRoute({
  getParentRoute: () => shell,
  path: "/flows/$flow",
  component: lazyRouteComponent(() => import("./pages/Flow"), "Flow"),
});
const flowHome = createRoute({
  getParentRoute: () => flow,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/flows/$flow/canvas", params, replace: true });
  },
});
const canvas = createRoute({
  getParentRoute: () => flow,
  path: "/canvas",
  validateSearch: (search: Record<string, unknown>) => compact({ version: number(search.version), run: number(search.run) }),
  component: lazyRouteComponent(() => import("./pages/FlowCanvas"), "FlowCanvas"),
});
const versions = createRoute({
  getParentRoute: () => flow,
  path: "/versions",
  validateSearch: (search: Record<string, unknown>) => compact({ page: number(search.page) }),
  component: lazyRouteComponent(() => import("./pages/FlowVersions"), "FlowVersions"),
});
const compare = createRoute({
  getParentRoute: () => flow,
  path: "/compare",
  validateSearch: (search: Record<string, unknown>) => compact({ from: number(search.from), to: number(search.to) }),
  component: lazyRouteComponent(() => import("./pages/Compare"), "Compare"),
});
const metrics = createRoute({
  getParentRoute: () => flow,
  path: "/metrics",
  validateSearch: (search: Record<string, unknown>) => compact({ range: text(String(search.range ?? "")), interval: text(search.interval), versions: text(String(search.versions ?? "")) }),
  component: lazyRouteComponent(() => import("./pages/FlowMetrics"), "FlowMetrics"),
});
const flowRuns = createRoute({
  getParentRoute: () => flow,
  path: "/runs",
  validateSearch: read,
  component: lazyRouteComponent(() => import("./pages/FlowRuns"), "FlowRuns"),
});
const schedules = createRoute({
  getParentRoute: () => flow,
  path: "/schedules",
  component: lazyRouteComponent(() => import("./pages/FlowSchedules"), "FlowSchedules"),
});
const settings = createRoute({
  getParentRoute: () => flow,
  path: "/settings",
  component: lazyRouteComponent(() => import("./pages/FlowSettings"), "FlowSettings"),
});
const runs = createRoute({
  getParentRoute: () => shell,
  path: "/runs",
  validateSearch: read,
  component: lazyRouteComponent(() => import("./pages/Runs"), "Runs"),
});
const run = createRoute({
  getParentRoute: () => shell,
  path: "/runs/$run",
  validateSearch: (search: Record<string, unknown>) => compact({ step: text(search.step) }),
  component: lazyRouteComponent(() => import("./pages/Run"), "Run"),
});
const deadLetters = createRoute({
  getParentRoute: () => shell,
  path: "/dead-letters",
  validateSearch: (search: Record<string, unknown>) => compact({ page: number(search.page) }),
  component: lazyRouteComponent(() => import("./pages/DeadLetters"), "DeadLetters"),
});
const connections = createRoute({
  getParentRoute: () => shell,
  path: "/connections",
  validateSearch: (search: Record<string, unknown>) => compact({ page: number(search.page) }),
  component: lazyRouteComponent(() => import("./pages/Connections"), "Connections"),
});
const people = createRoute({
  getParentRoute: () => shell,
  path: "/users",
  component: lazyRouteComponent(() => import("./pages/Users"), "Users"),
});
const keys = createRoute({
  getParentRoute: () => shell,
  path: "/api-keys",
  component: lazyRouteComponent(() => import("./pages/ApiKeys"), "ApiKeys"),
});

const upcoming = createRoute({
  getParentRoute: () => shell,
  path: "/schedules",
  validateSearch: (search: Record<string, unknown>) => compact({ page: number(search.page), hours: number(search.hours), flow: number(search.flow), enabled: text(search.enabled) }),
  component: lazyRouteComponent(() => import("./pages/Schedules"), "Schedules"),
});
const connectors = createRoute({
  getParentRoute: () => shell,
  path: "/connectors",
  component: lazyRouteComponent(() => import("./pages/Connectors"), "Connectors"),
});
const lookups = createRoute({
  getParentRoute: () => shell,
  path: "/lookup-tables",
  component: lazyRouteComponent(() => import("./pages/LookupTables"), "LookupTables"),
});
const pools = createRoute({
  getParentRoute: () => shell,
  path: "/data-pools",
  component: lazyRouteComponent(() => import("./pages/DataPools"), "DataPools"),
});
const caches = createRoute({
  getParentRoute: () => shell,
  path: "/cache",
  component: lazyRouteComponent(() => import("./pages/CacheEntries"), "CacheEntries"),
});
const tracked = createRoute({
  getParentRoute: () => shell,
  path: "/tracked",
  validateSearch: (search: Record<string, unknown>) => compact({ value: text(search.value), page: number(search.page) }),
  component: lazyRouteComponent(() => import("./pages/TrackedData"), "TrackedData"),
});
const groups = createRoute({
  getParentRoute: () => shell,
  path: "/notification-groups",
  component: lazyRouteComponent(() => import("./pages/NotificationGroups"), "NotificationGroups"),
});
const marketplace = createRoute({
  getParentRoute: () => shell,
  path: "/marketplace",
  component: lazyRouteComponent(() => import("./pages/Marketplace"), "Marketplace"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    setUp,
    shell.addChildren([
      home,
      flows,
      flow.addChildren([flowHome, canvas, versions, compare, flowRuns, schedules, metrics, settings]),
      runs,
      run,
      upcoming,
      deadLetters,
      connections,
      people,
      keys,
      connectors,
      lookups,
      pools,
      caches,
      tracked,
      groups,
      marketplace,
    ]),
  ]),
  defaultPreload: "intent",
  defaultPendingMs: 300,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
