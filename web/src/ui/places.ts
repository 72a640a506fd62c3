// The pages that the navigation and the command palette lead to.
import type { IconName } from "./Icon";
import type { Role } from "./me";

export interface Place {
  to: string;
  label: string;
  icon: IconName;
  /** Who sees it; everybody, if nobody is named. */
  role?: Role;
  /** The key that leads here after g. */
  key?: string;
}

export const PLACES: Array<{ title?: string; places: Place[] }> = [
  {
    places: [
      { to: "/", label: "Home", icon: "home", key: "h" },
      { to: "/flows", label: "Flows", icon: "flow", key: "f" },
      { to: "/runs", label: "Runs", icon: "run", key: "r" },
      { to: "/schedules", label: "Schedules", icon: "calendar", key: "s" },
      { to: "/dead-letters", label: "Dead letters", icon: "letter", key: "d" },
      { to: "/tracked", label: "Tracked data", icon: "pin", key: "t" },
    ],
  },
  {
    title: "Systems",
    places: [
      { to: "/connections", label: "Connections", icon: "plug", key: "c" },
      { to: "/connectors", label: "Connectors", icon: "code" },
      { to: "/marketplace", label: "Marketplace", icon: "bag" },
    ],
  },
  {
    title: "Data",
    places: [
      { to: "/lookup-tables", label: "Lookup tables", icon: "table", key: "l" },
      { to: "/data-pools", label: "Data pools", icon: "pool" },
      { to: "/cache", label: "Cache", icon: "bolt" },
    ],
  },
  {
    title: "Company",
    places: [
      { to: "/notifications", label: "Notifications", icon: "bell", key: "n" },
      { to: "/users", label: "Users", icon: "people", role: "administrator", key: "u" },
      { to: "/api-keys", label: "API keys", icon: "key", role: "manager", key: "k" },
      { to: "/settings", label: "Settings", icon: "sliders" },
    ],
  },
];

export function seen(may: (role: Role) => boolean): Place[] {
  return PLACES.flatMap(({ places }) => places).filter(({ role }) => !role || may(role));
}

const OTHERS: Record<string, Role> = { "/notification-groups": "manager" };

/** The role that one needs to see the page at this address at all. */
export function needed(path: string): Role | undefined {
  return OTHERS[path] ?? PLACES.flatMap(({ places }) => places).find(({ to }) => to === path)?.role;
}
