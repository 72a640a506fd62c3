// The list of what needs attention first.
import { Group, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Icon, type IconName } from "../ui/Icon";
import { Instant } from "../ui/parts";
import type { Matter, Tone } from "./attention";

const LOOKS: Record<Tone, { icon: IconName; color: string }> = {
  bad: { icon: "warning", color: "var(--mantine-color-red-text)" },
  warning: { icon: "clock", color: "var(--mantine-color-orange-text)" },
  past: { icon: "check", color: "var(--mantine-color-dimmed)" },
};

export function Attention({ matters }: { matters: Matter[] }) {
  if (!matters.length)
    return (
      <Group className="card" p="sm" gap="xs" c="teal">
        <Icon name="check" />
        <Text size="sm" c="var(--mantine-color-text)">
          Nothing needs attention.
        </Text>
      </Group>
    );
  return (
    <Stack component="ul" className="card rows" gap={0}>
      {matters.map((matter) => (
        <Item key={matter.key} matter={matter} />
      ))}
    </Stack>
  );
}

function Item({ matter }: { matter: Matter }) {
  const { icon, color } = LOOKS[matter.tone];
  return (
    <Group component="li" gap="sm" wrap="nowrap" px="sm" py={7} align="start">
      <span style={{ color, flex: "none", lineHeight: 1, marginTop: 3 }}>
        <Icon name={icon} />
      </span>
      <div style={{ flex: 1, minWidth: 0 }}>
        <Text size="sm">
          <Where matter={matter}>{matter.name}</Where> {matter.says}
        </Text>
        {matter.more && (
          <Text size="xs" c="dimmed" truncate>
            {matter.more}
          </Text>
        )}
      </div>
      <Text size="xs" c="dimmed" style={{ whiteSpace: "nowrap", marginTop: 2 }}>
        <Instant at={matter.at} />
      </Text>
    </Group>
  );
}

function Where({ matter, children }: { matter: Matter; children: ReactNode }) {
  if (matter.run)
    return (
      <Link to="/runs/$run" params={{ run: String(matter.run) }} className="row-link" style={{ fontWeight: 600 }}>
        {children}
      </Link>
    );
  const to = matter.page === "schedules" ? "/flows/$flow/schedules" : "/flows/$flow/canvas";
  return (
    <Link to={to} params={{ flow: String(matter.flow) }} className="row-link" style={{ fontWeight: 600 }}>
      {children}
    </Link>
  );
}
