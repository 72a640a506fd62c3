// Calls of the server, typed by its own document. A failure is an ApiError that says what the server said.
import { operations, type Operations, type Value } from "./contract";

export type Name = keyof Operations;
export type Answer<N extends Name> = Operations[N]["answer"];
type Part<N extends Name, P extends "path" | "query" | "body"> = Operations[N][P];
// What an operation does not take need not be given.
type Given<P extends string, T> = [T] extends [undefined] ? { [K in P]?: undefined } : { [K in P]: T };
export type Args<N extends Name> = Given<"path", Part<N, "path">> & { query?: Part<N, "query"> } & Partial<
    Given<"body", Part<N, "body">>
  >;

export interface Extra {
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly errors: Record<string, string[]> = {},
  ) {
    super(message);
  }
}

interface Response<N extends Name> {
  answer: Answer<N>;
  etag: string | null;
}

export function url<N extends Name>(name: N, args: Args<N>): string {
  const path: Record<string, Value> = args.path ?? {};
  const filled = operations[name][1].replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(String(path[key])));
  const query = Object.entries<Value>(args.query ?? {}).filter(([, value]) => value !== undefined && value !== "");
  const written = new URLSearchParams(query.map(([key, value]) => [key, String(value)])).toString();
  return written ? `${filled}?${written}` : filled;
}

export async function send<N extends Name>(name: N, args: Args<N>, extra: Extra = {}): Promise<Response<N>> {
  const headers: Record<string, string> = { Accept: "application/json", ...extra.headers };
  if (args.body !== undefined) headers["Content-Type"] ??= "application/json";
  const response = await reach(url(name, args), {
    method: operations[name][0],
    headers,
    body: args.body === undefined ? undefined : JSON.stringify(args.body),
    signal: extra.signal,
  });
  if (!response.ok) throw await failure(response);
  return { answer: (await response.json()) as Answer<N>, etag: response.headers.get("ETag") };
}

export async function call<N extends Name>(name: N, args: Args<N>, extra: Extra = {}): Promise<Answer<N>> {
  return (await send(name, args, extra)).answer;
}

async function reach(path: string, request: RequestInit): Promise<globalThis.Response> {
  try {
    return await fetch(path, request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "The server cannot be reached; it may be starting again. Try once more in a moment.");
  }
}

export async function failure(response: globalThis.Response): Promise<ApiError> {
  try {
    const said = (await response.json()) as { message?: string; errors?: Record<string, string[]> };
    return new ApiError(response.status, said.message ?? response.statusText, said.errors);
  } catch {
    return new ApiError(response.status, `The server answered ${response.status} ${response.statusText}`.trim());
  }
}
