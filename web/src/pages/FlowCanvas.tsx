// The canvas of one version of a flow: drawn, edited while it is a Draft, run, and watched as it runs.
import { ActionIcon, Box, Button, Group, Select, Text, Tooltip } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useMemo, useState } from "react";

import type { StepType, Version } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { Canvas } from "../canvas/Canvas";
import { useEditor, useGraph } from "../canvas/editor";
import { type Place, Tree } from "../canvas/graph";
import { useProgress } from "../canvas/progress";
import { SaveState } from "../canvas/SaveState";
import { Deploy } from "../pages/Deploy";
import { Icon } from "../ui/Icon";
import { useMe } from "../ui/me";
import { Failure, Loading, VersionStatus } from "../ui/parts";
import { tell } from "../ui/tell";

// What is not seen at first comes when it is needed.
const Palette = lazy(async () => ({ default: (await import("../canvas/Palette")).Palette }));
const RunPanel = lazy(async () => ({ default: (await import("../canvas/RunPanel")).RunPanel }));
const StartRun = lazy(async () => ({ default: (await import("../canvas/StartRun")).StartRun }));
const StepPanel = lazy(async () => ({ default: (await import("../canvas/StepPanel")).StepPanel }));
const Variables = lazy(async () => ({ default: (await import("../canvas/Variables")).Variables }));

export function FlowCanvas() {
  const { flow } = useParams({ from: "/shell/flows/$flow" });
  const versions = useRead("list_versions", { path: { flow }, query: { per_page: 100, sort: "-created_at" } });
  const { version: asked } = useSearch({ from: "/shell/flows/$flow/canvas" });
  if (versions.error) return <Failure error={versions.error} again={() => void versions.refetch()} />;
  if (!versions.data) return <Loading />;
  const all = versions.data.data;
  const version = all.find((one) => one.id === asked) ?? all.find((one) => one.is_editable) ?? all.find((one) => one.is_deployed) ?? all[0];
  return version ? <Drawing key={version.id} flow={Number(flow)} version={version} versions={all} /> : <Text>This flow has no version.</Text>;
}

function Drawing({ flow, version, versions }: { flow: number; version: Version; versions: Version[] }) {
  const { run } = useSearch({ from: "/shell/flows/$flow/canvas" });
  const navigate = useNavigate({ from: "/flows/$flow/canvas" });
  const { may } = useMe();
  const loaded = useGraph(version.id);
  const editor = useEditor(version.id);
  const types = useTypes();
  const { run: shown, states } = useProgress(run);
  const [selected, setSelected] = useState<number>();
  const [place, setPlace] = useState<Place>();
  const [starting, { open: start, close: stopStarting }] = useDisclosure();
  const graph = loaded.data?.graph;
  const tree = useMemo(() => (graph ? new Tree(graph.steps, graph.routes) : undefined), [graph]);
  const editable = version.is_editable && may("manager") && run === undefined;
  const watch = (id: number | undefined) => void navigate({ search: (old) => ({ ...old, run: id }) });
  useHotkeys([
    ["mod+Z", () => editable && editor.undo()],
    ["mod+shift+Z", () => editable && editor.redo()],
    ["mod+Enter", () => may("user") && start()],
  ]);
  const add = useCallback((at: Place) => setPlace(at), []);

  if (loaded.error) return <Failure error={loaded.error} again={() => void loaded.refetch()} />;
  if (!tree || !graph) return <Loading />;
  const step = selected === undefined ? undefined : tree.byId.get(selected);
  const choose = (type: StepType) => {
    const at = place;
    setPlace(undefined);
    if (at) void editor.add(at, { microservice: type.microservice, name: type.title }).then(setSelected);
  };
  return (
    <Box className="card" style={{ display: "flex", flexDirection: "column", height: "calc(100vh - 190px)", minHeight: 420 }}>
      <Group justify="space-between" p={6} gap="xs" style={{ borderBottom: "1px solid var(--line)" }}>
        <Group gap="xs">
          <Select aria-label="Version" w={210} allowDeselect={false} value={String(version.id)} data={versions.map((one) => ({ value: String(one.id), label: `Version ${one.iteration}, ${one.status}` }))} onChange={(id) => void navigate({ search: { version: Number(id) } })} />
          <VersionStatus status={version.status} />
          {editable && <SaveState state={editor.state} />}
        </Group>
        <Group gap={6}>
          {editable && (
            <>
              <Tooltip label="Undo (Ctrl+Z)">
                <ActionIcon variant="subtle" color="gray" aria-label="Undo" disabled={!editor.canUndo} onClick={editor.undo}>
                  <Icon name="undo" />
                </ActionIcon>
              </Tooltip>
              <Tooltip label="Redo (Ctrl+Shift+Z)">
                <ActionIcon variant="subtle" color="gray" aria-label="Redo" disabled={!editor.canRedo} onClick={editor.redo}>
                  <Icon name="redo" />
                </ActionIcon>
              </Tooltip>
            </>
          )}
          <Suspense>
            <Variables version={version.id} readOnly={!editable} />
          </Suspense>
          {!version.is_editable && may("manager") && <CopyToDraft flow={flow} version={version} hasDraft={versions.some((one) => one.is_editable)} />}
          {may("user") && (
            <Button variant="light" leftSection={<Icon name="run" size={14} />} onClick={start}>
              Run
            </Button>
          )}
          {may("manager") && <Deploy flow={flow} version={version} settle={editor.settle} />}
        </Group>
      </Group>
      <Box style={{ display: "flex", flex: 1, minHeight: 0 }}>
        <Box flex={1} pos="relative" data-testid="canvas">
          <Canvas tree={tree} types={types} selected={selected} progress={states} onSelect={setSelected} onAdd={editable ? add : undefined} onMove={editable ? (moved, to) => void editor.move(moved, to) : undefined} />
        </Box>
        {/* Its place is kept, so that the drawing stays in the middle. */}
        <Suspense fallback={run === undefined ? null : <Box w={{ base: 0, sm: 400 }} />}>
          {run !== undefined ? (
            <RunPanel run={run} shown={shown} step={step} onClose={() => watch(undefined)} />
          ) : (
            step && (
              <Box w={{ base: "100%", sm: 380 }} style={{ borderLeft: "1px solid var(--line)" }} component="aside" aria-label="Step">
                <StepPanel key={step.key} step={step} type={types.get(step.microservice)} routes={graph.routes.filter((route) => route.flow_step_id === step.id)} editor={editor} readOnly={!editable} onClose={() => setSelected(undefined)} />
              </Box>
            )
          )}
        </Suspense>
      </Box>
      <Suspense>
        <Palette types={types} opened={place !== undefined} onClose={() => setPlace(undefined)} onChoose={choose} />
        <StartRun flow={flow} version={version} opened={starting} settle={editor.settle} onClose={stopStarting} onStarted={watch} />
      </Suspense>
    </Box>
  );
}

function CopyToDraft({ flow, version, hasDraft }: { flow: number; version: Version; hasDraft: boolean }) {
  const navigate = useNavigate({ from: "/flows/$flow/canvas" });
  const copy = useChange("copy_version", {
    onSuccess: ({ data }) => {
      tell.done(`Version ${data.iteration} is a draft made from version ${version.iteration}.`);
      void navigate({ search: { version: data.id } });
    },
  });
  const label = hasDraft ? "Replace the draft by this" : "Copy to draft";
  return (
    <Button variant="default" loading={copy.isPending} onClick={() => copy.mutate({ path: { flow, version: version.id } }, { onError: tell.failed })}>
      {label}
    </Button>
  );
}

function useTypes(): Map<string, StepType> {
  const { data } = useRead("list_step_types", {}, { staleTime: Number.POSITIVE_INFINITY });
  return useMemo(() => new Map(data?.data.map((type) => [type.microservice, type])), [data]);
}
