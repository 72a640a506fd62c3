// The routes of a step: their names, their order, and what each takes.
import { ActionIcon, Button, Group, Input, Paper, Stack, TextInput } from "@mantine/core";
import type { Route, Step } from "../api/contract";
import { useRead } from "../api/hooks";
import { Condition } from "../form/Condition";
import type { Schema } from "../form/schema";
import { Icon } from "../ui/Icon";
import type { Editor } from "./editor";
import type { Tree } from "./graph";
import { useTyped } from "./typed";

interface Props {
  step: Step;
  tree: Tree;
  editor: Editor;
  readOnly: boolean;
  isFixed: boolean;
  withConditions: boolean;
}

export function Routes({ step, tree, editor, readOnly, isFixed, withConditions }: Props) {
  const routes = tree.routes(step);
  const names = new Set(routes.map((route) => route.name));
  const free = Array.from({ length: routes.length + 1 }, (_, index) => `Route ${index + 1}`).find((name) => !names.has(name)) ?? "Route";
  return (
    <Input.Wrapper label="Routes" size="xs">
      <Stack gap="xs" mt={4}>
        {routes.map((route) => (
          <RouteEditor key={route.id} route={route} tree={tree} editor={editor} readOnly={readOnly || isFixed} withConditions={withConditions} />
        ))}
        {!readOnly && !isFixed && (
          <Button variant="light" size="compact-xs" w="fit-content" onClick={() => void editor.addRoute(step, free)}>
            Add a route
          </Button>
        )}
      </Stack>
    </Input.Wrapper>
  );
}

interface RouteProps {
  route: Route;
  tree: Tree;
  editor: Editor;
  readOnly: boolean;
  withConditions: boolean;
}

function RouteEditor({ route, tree, editor, readOnly, withConditions }: RouteProps) {
  const operators = useOperators();
  const save = (part: "name" | "where", value: string | Record<string, unknown> | null) =>
    editor.soon(`${part} of route ${route.id} of step ${route.flow_step_id}`, (what) => editor.changeRoute(route, { [part]: value }, what));
  const [name, setName] = useTyped(route.name, async (next) => next.trim() !== "" && save("name", next));
  const [where, setWhere] = useTyped(route.where, (next) => save("where", next ?? null));
  return (
    <Paper withBorder p="xs">
      <Group gap={4} wrap="nowrap">
        <TextInput
          aria-label="Name of the route"
          flex={1}
          value={name}
          disabled={readOnly}
          error={name.trim() ? undefined : "A route has a name."}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {!readOnly && (
          <ActionIcon variant="subtle" color="gray" aria-label={`Delete route ${route.name}`} onClick={() => void editor.removeRoute(tree, route)}>
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
          onChange={setWhere}
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
