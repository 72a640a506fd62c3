// Small parts that all pages share.
import { Alert, Badge, Box, Button, Group, Skeleton, Stack, Text, Title, Tooltip } from "@mantine/core";
import { useDocumentTitle, useInterval } from "@mantine/hooks";
import { type ReactNode, useState } from "react";

import type { ApiError } from "../api/client";
import { ago, local, utc } from "./format";

export const STATUSES = ["queued", "started", "success", "failure", "stopped", "partial success"] as const;
export const STATUS_COLORS = ["gray", "blue", "teal", "red", "orange", "yellow"] as const;

export function RunStatus({ status, waits }: { status: number; waits?: boolean }) {
  return <Badge className="state" color={STATUS_COLORS[status] ?? "gray"}>{waits ? "waiting" : (STATUSES[status] ?? status)}</Badge>;
}

export function VersionStatus({ status }: { status: string }) {
  const color = { Draft: "blue", Deployed: "teal" }[status] ?? "gray";
  return <Badge color={color}>{status}</Badge>;
}

/** An instant as the time since; the viewer's local time and UTC on hover. */
export function Instant({ at }: { at: string | undefined }) {
  const [now, setNow] = useState(Date.now);
  useInterval(() => setNow(Date.now()), 10_000, { autoInvoke: true });
  if (!at) return <Text span c="dimmed" inherit>—</Text>;
  return (
    <Tooltip label={<>{local(at)}<br />{utc(at)}</>}>
      <time dateTime={at} style={{ whiteSpace: "nowrap" }}>{ago(at, now)}</time>
    </Tooltip>
  );
}

export function PageTitle({ title, children }: { title: ReactNode; children?: ReactNode }) {
  useDocumentTitle(typeof title === "string" ? `${title}, Flowloom` : "Flowloom");
  return (
    <Group justify="space-between" mb="sm" gap="xs">
      <Title order={1} miw={0} {...(typeof title === "string" && { lineClamp: 3, title })}>{title}</Title>
      <Group gap="xs">{children}</Group>
    </Group>
  );
}

export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack gap="xs" mb="lg" component="section" aria-label={title}>
      <Text fw={600} component="h2" m={0} size="md">
        {title}
      </Text>
      {children}
    </Stack>
  );
}

// Refused, gone: trying again changes nothing.
const FOR_GOOD = new Set([403, 404, 422]);

export function Failure({ error, again }: { error: ApiError; again?: () => void }) {
  return (
    <Alert color="red" title={error.message} role="alert">
      {Object.entries(error.errors)
        .filter(([, messages]) => messages.join() !== error.message)
        .map(([field, messages]) => (
          <Text key={field} size="sm">
            {field}: {messages.join(" ")}
          </Text>
        ))}
      {again && !FOR_GOOD.has(error.status) && (
        <Button variant="light" color="red" mt="xs" onClick={again}>
          Try again
        </Button>
      )}
    </Alert>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Stack align="center" gap="xs" py={48} px="md" className="card">
      <Text fw={600}>{title}</Text>
      <Box maw={520} ta="center" c="dimmed" fz="sm">
        {children}
      </Box>
    </Stack>
  );
}

export function Loading({ rows = 6 }: { rows?: number }) {
  return (
    <Stack gap={8} aria-busy="true" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={28} />
      ))}
    </Stack>
  );
}
