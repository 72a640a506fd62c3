// The routes of a step: their names, their order, and what each takes.
import { ActionIcon, Button, Group, Input, Paper, Stack, TextInput } from "@mantine/core";
import { useState } from "react";

import type { Route, Step } from "../api/contract";
import { useRead } from "../api/hooks";
import { Condition } from "../form/Condition";
import type { Schema } from "../form/schema";
import { Icon } from "../ui/Icon";
import type { Editor } from "./editor";

interface Props {
  step: Step;
  routes: Route[];
  editor: Editor;
  readOnly: boolean;
  isFixed: boolean;
  withConditions: boolean;
}

export function Routes({ step, routes, editor, readOnly, isFixed, withConditions }: Props) {
  const path = { flow_version: step.flow_version_id, step: step.id };
  const names = new Set(routes.map((route) => route.name));
  const free = Array.from({ length: routes.length + 1 }, (_, index) => `Route ${index + 1}`).find((name) => !names.has(name)) ?? "Route";
  return (
    <Input.Wrapper label="Routes" size="xs">
      <Stack gap="xs" mt={4}>
        {routes.map((route) => (
          <RouteEditor key={route.id} route={route} path={path} editor={editor} readOnly={readOnly || isFixed} withConditions={withConditions} />
        ))}
        {!readOnly && !isFixed && (
          <Button variant="light" size="compact-xs" w="fit-content" onClick={() => void editor.direct("create_route", { path, body: { name: free } })}>
            Add a route
          </Button>
        )}
      </Stack>
    </Input.Wrapper>
  );
}

interface RouteProps {
  route: Route;
  path: { flow_version: number; step: number };
  editor: Editor;
  readOnly: boolean;
  withConditions: boolean;
}

function RouteEditor({ route, path, editor, readOnly, withConditions }: RouteProps) {
  const operators = useOperators();
  const [name, setName] = useState(route.name);
  const [where, setWhere] = useState(route.where);
  const at = { ...path, route: route.id };
  const save = (part: "name" | "where", value: string | Record<string, unknown> | null) =>
    editor.soon(`${part} of route ${route.id}`, () => void editor.direct("update_route", { path: at, body: { [part]: value } }));
  return (
    <Paper withBorder p="xs">
      <Group gap={4} wrap="nowrap">
        <TextInput
          aria-label="Name of the route"
          flex={1}
          value={name}
          disabled={readOnly}
          onChange={(event) => {
            setName(event.currentTarget.value);
            if (event.currentTarget.value.trim()) save("name", event.currentTarget.value);
          }}
        />
        {!readOnly && (
          <ActionIcon variant="subtle" color="gray" aria-label={`Delete route ${route.name}`} onClick={() => void editor.direct("delete_route", { path: at })}>
            <Icon name="trash" />
          </ActionIcon>
        )}
      </Group>
      {withConditions && (
        <Condition
          label="Takes"
          description={where ? undefined : "Everything"}
          operators={operators}
          disabled={readOnly}
          value={where}
          onChange={(next) => {
            setWhere(next);
            save("where", next ?? null);
          }}
        />
      )}
    </Paper>
  );
}

function useOperators(): string[] {
  const types = useRead("list_step_types", {}, { staleTime: Number.POSITIVE_INFINITY });
  const filter = types.data?.data.find((type) => type.microservice === "filter")?.schema as Schema | undefined;
  return filter?.properties?.where?.["x-operators"] ?? [];
}
