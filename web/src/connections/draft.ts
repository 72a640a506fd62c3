// A connection as it is edited, and what of it is sent. Secrets are never read: one that is set stays unless it is typed anew. Pure.
import type { Connection, ConnectionAuth, ConnectionCreate, ConnectionServer } from "../api/contract";
import { kept, type Secret, sent } from "../ui/Secrets";

export type Protocol = NonNullable<ConnectionCreate["protocol"]>;
export type AuthType = NonNullable<ConnectionAuth["type"]>;
export type AuthField = Exclude<keyof ConnectionAuth, "type" | "credentials_in">;
export type ServerField = keyof ConnectionServer;

export interface Draft {
  name: string;
  protocol: Protocol;
  baseUrl: string;
  allowedHosts: string[];
  connectorId: number | undefined;
  authType: AuthType;
  auth: Partial<Record<AuthField, string>>;
  server: ConnectionServer;
  headers: Record<string, unknown>;
  variables: Record<string, unknown>;
  secrets: Secret[];
  timeoutSeconds: number | undefined;
  rate: { per: "second" | "minute"; count: number | undefined; burst: number | undefined };
  circuit: { failures: number | undefined; pauseSeconds: number };
}

export const PROTOCOLS: Array<{ value: Protocol; label: string }> = [
  { value: "http", label: "HTTP" },
  { value: "sftp", label: "SFTP" },
  { value: "postgresql", label: "PostgreSQL" },
  { value: "mysql", label: "MySQL or MariaDB" },
  { value: "sqlite", label: "SQLite file" },
];
export const AUTH: Record<AuthType, { label: string; fields: AuthField[] }> = {
  none: { label: "Nothing", fields: [] },
  bearer: { label: "Bearer token", fields: ["token"] },
  basic: { label: "User name and password", fields: ["username", "password"] },
  header: { label: "A header", fields: ["name", "value"] },
  oauth2_client_credentials: { label: "OAuth 2, client credentials", fields: ["token_url", "client_id", "client_secret", "scope", "audience"] },
  oauth2_refresh_token: { label: "OAuth 2, refresh token", fields: ["token_url", "client_id", "client_secret", "refresh_token", "scope"] },
};
export const SERVER: Record<Exclude<Protocol, "http">, ServerField[]> = {
  sftp: ["host", "port", "username", "password", "private_key", "host_key"],
  postgresql: ["host", "port", "username", "password", "database", "tls"],
  mysql: ["host", "port", "username", "password", "database", "tls"],
  sqlite: ["file"],
};
export const SECRET_FIELDS = new Set<string>(["token", "password", "value", "client_secret", "refresh_token", "private_key"]);
export const OPTIONAL_FIELDS = new Set<string>(["scope", "audience", "port", "password", "private_key", "tls"]);

const PAUSE_SECONDS = 60;

export function draftOf(connection: Connection | undefined): Draft {
  const { type = "none", username, name, token_url, client_id, scope, audience } = connection?.auth ?? {};
  const { rate_limit: rate, circuit_breaker: circuit } = connection ?? {};
  return {
    name: connection?.name ?? "",
    protocol: (connection?.protocol as Protocol | undefined) ?? "http",
    baseUrl: connection?.base_url ?? "",
    allowedHosts: connection?.allowed_hosts ?? [],
    connectorId: connection?.connector_id,
    authType: type in AUTH ? (type as AuthType) : "none",
    auth: { username, name, token_url, client_id, scope, audience },
    server: { ...connection?.server },
    headers: connection?.headers ?? {},
    variables: connection?.variables ?? {},
    secrets: kept(connection?.secrets),
    timeoutSeconds: connection?.timeout_seconds,
    rate: { per: rate?.per_minute === undefined ? "second" : "minute", count: rate?.per_second ?? rate?.per_minute, burst: rate?.burst },
    circuit: { failures: circuit?.failures, pauseSeconds: circuit?.pause_seconds ?? PAUSE_SECONDS },
  };
}

export function bodyOf(draft: Draft, connection: Connection | undefined): ConnectionCreate {
  const common = { name: draft.name, timeout_seconds: draft.timeoutSeconds ?? null, variables: draft.variables as ConnectionCreate["variables"] };
  if (draft.protocol !== "http") return { ...common, ...(connection ? {} : { protocol: draft.protocol }), server: only(SERVER[draft.protocol], draft.server) };
  const isAsConnector = draft.connectorId !== undefined && draft.authType === "none";
  return {
    ...common,
    base_url: draft.baseUrl || (draft.connectorId === undefined ? undefined : null),
    allowed_hosts: draft.allowedHosts,
    connector_id: draft.connectorId ?? null,
    ...(isAsConnector ? {} : { auth: { type: draft.authType, ...only(AUTH[draft.authType].fields, draft.auth) } }),
    headers: Object.fromEntries(Object.entries(draft.headers).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)])),
    rate_limit: draft.rate.count === undefined ? null : { [`per_${draft.rate.per}`]: draft.rate.count, burst: draft.rate.burst },
    circuit_breaker: draft.circuit.failures === undefined ? null : { failures: draft.circuit.failures, pause_seconds: draft.circuit.pauseSeconds },
    ...secretsOf(draft, connection),
  };
}

/** All of them, since they replace those that there were; not at all when nothing of them changed. */
function secretsOf({ secrets }: Draft, connection: Connection | undefined): Pick<ConnectionCreate, "secrets"> {
  const named = secrets.filter(({ name }) => name);
  const isSame = named.every(({ isKept, value }) => isKept && !value) && named.length === (connection?.secrets?.length ?? 0);
  return isSame ? {} : { secrets: sent(named) };
}

/** The values of these fields that are there. */
function only<T extends object>(fields: Array<keyof T>, values: T): Partial<T> {
  return Object.fromEntries(fields.flatMap((field) => (values[field] === undefined || values[field] === "" ? [] : [[field, values[field]]]))) as Partial<T>;
}
