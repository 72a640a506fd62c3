// The canvas of one version of a flow: drawn, edited while it is a Draft, run, and watched as it runs.
import { Box, Flex, Text } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { type KeyboardEvent, lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";

import type { Step, StepType, Version } from "../api/contract";
import { useRead } from "../api/hooks";
import { useActions } from "../canvas/actions";
import { Canvas } from "../canvas/Canvas";
import { type Choice, only } from "../canvas/choosing";
import { useEditor } from "../canvas/editor";
import { type Place, Tree } from "../canvas/graph";
import { GroupBar } from "../canvas/GroupBar";
import { useProgress } from "../canvas/progress";
import { useGraph } from "../canvas/reading";
import { ConflictNotice } from "../canvas/SaveState";
import { focusStep } from "../canvas/sight";
import { Toolbar } from "../canvas/Toolbar";
import { useMe } from "../ui/me";
import { Failure, Loading } from "../ui/parts";

// What is not seen at first comes when it is needed.
const MoveTo = lazy(async () => ({ default: (await import("../canvas/MoveTo")).MoveTo }));
const Palette = lazy(async () => ({ default: (await import("../canvas/Palette")).Palette }));
const RunPanel = lazy(async () => ({ default: (await import("../canvas/RunPanel")).RunPanel }));
const StartRun = lazy(async () => ({ default: (await import("../canvas/StartRun")).StartRun }));
const StepPanel = lazy(async () => ({ default: (await import("../canvas/StepPanel")).StepPanel }));

export function FlowCanvas() {
  const { flow } = useParams({ from: "/shell/flows/$flow" });
  const versions = useRead("list_versions", { path: { flow }, query: { per_page: 100, sort: "-created_at" } });
  const { version: asked } = useSearch({ from: "/shell/flows/$flow/canvas" });
  if (versions.error) return <Failure error={versions.error} again={() => void versions.refetch()} />;
  // Once a version is shown it stays, with what is opened over it, whichever is deployed meanwhile; but at first that is asked anew.
  const [shown, setShown] = useState<number>();
  const isSettled = asked !== undefined || shown !== undefined || !versions.isFetching || !versions.isStale;
  if (!versions.data || !isSettled) return <Loading />;
  const all = versions.data.data;
  const version = all.find((one) => one.id === (asked ?? shown)) ?? all.find((one) => one.is_editable) ?? all.find((one) => one.is_deployed) ?? all[0];
  return version ? <Drawing key={version.id} flow={Number(flow)} version={version} versions={all} onShown={setShown} /> : <Text>This flow has no version.</Text>;
}

interface Props {
  flow: number;
  version: Version;
  versions: Version[];
  onShown: (version: number) => void;
}

function Drawing({ flow, version, versions, onShown }: Props) {
  const { run } = useSearch({ from: "/shell/flows/$flow/canvas" });
  const navigate = useNavigate({ from: "/flows/$flow/canvas" });
  const { may } = useMe();
  useEffect(() => onShown(version.id), [onShown, version.id]);
  const loaded = useGraph(version.id);
  const editor = useEditor(flow, version.id);
  const types = useTypes();
  const { run: shown, states } = useProgress(run);
  const [choice, setChoice] = useState<Choice>(() => only(undefined));
  const [current, setCurrent] = useState<number>();
  const [place, setPlace] = useState<Place>();
  const [moving, setMoving] = useState<{ step: Step; parent?: number }>();
  const [starting, { open: start, close: stopStarting }] = useDisclosure();
  const graph = loaded.data?.graph;
  const tree = useMemo(() => (graph ? new Tree(graph.steps, graph.routes) : undefined), [graph]);
  const mayEdit = version.is_editable && may("manager");
  const editable = mayEdit && run === undefined;
  const step = tree?.byId.get(choice.open ?? 0);
  const { of: actionsOf, group } = useActions({ tree, editor, editable, choice, current, onChoose: setChoice, onMoveTo: (one) => setMoving({ step: one }) });
  const watch = (id: number | undefined) => void navigate({ search: (old) => ({ ...old, run: id }) });
  useHotkeys([["mod+Enter", () => may("user") && start()]]);
  const add = useCallback((at: Place) => setPlace(at), []);

  if (loaded.error) return <Failure error={loaded.error} again={() => void loaded.refetch()} />;
  if (!tree) return <Loading />;
  const choose = (type: StepType) => {
    const at = place;
    setPlace(undefined);
    if (at) void editor.add(at, type.microservice, type.title).then((made) => setChoice(only(made)));
  };
  const hang = (one: Step, parent: number) => {
    const routes = tree.routes(tree.byId.get(parent) ?? one);
    if (routes.length) setMoving({ step: one, parent });
    else void editor.move(one, { parent });
  };
  const close = () => {
    setChoice(only(undefined));
    if (step) focusStep(step.id);
  };
  return (
    <Box className="card" style={{ display: "flex", flexDirection: "column", height: "calc(100vh - 190px)", minHeight: 420 }}>
      <Toolbar flow={flow} version={version} versions={versions} editor={editor} editable={editable} onRun={start} />
      {editor.conflict && <ConflictNotice conflict={editor.conflict} />}
      {/* A narrow screen has a run below the steps, so that one can be chosen. */}
      <Flex direction={{ base: run === undefined ? "row" : "column", sm: "row" }} flex={1} mih={0}>
        <Box flex={1} pos="relative" mih={0} data-testid="canvas">
          <Canvas
            tree={tree}
            types={types}
            choice={choice}
            progress={states}
            onChoose={setChoice}
            onCurrent={setCurrent}
            onAdd={editable ? add : undefined}
            onDrag={editable ? (drags) => void editor.drag(drags) : undefined}
            onNudge={editable ? editor.nudge : undefined}
            onHang={editable ? hang : undefined}
            onDelete={editable ? (one) => one.parent_id !== undefined && actionsOf(one).remove(false) : undefined}
          />
          {group.steps.length > 0 && <GroupBar group={group} readOnly={!editable} />}
        </Box>
        {/* Its place is kept, so that the drawing stays in the middle. */}
        <Suspense fallback={run === undefined ? null : <Box w={{ base: "100%", sm: 400 }} h={{ base: "50%", sm: "auto" }} />}>
          {run !== undefined ? (
            <RunPanel run={run} shown={shown} step={step} isEditable={mayEdit} onClose={() => watch(undefined)} />
          ) : (
            step && (
              <Box w={{ base: "100%", sm: 380 }} className="beside" component="aside" aria-label="Step" onKeyDown={(event) => isLeaving(event) && close()}>
                <StepPanel key={`${step.key} ${editor.theirs}`} flow={flow} step={step} type={types.get(step.microservice)} tree={tree} editor={editor} actions={actionsOf(step)} readOnly={!editable} hint={version.is_editable || !may("manager") ? undefined : "Only a draft changes; copy this version to a draft to change it."} onClose={close} />
              </Box>
            )
          )}
        </Suspense>
      </Flex>
      <Suspense>
        <Palette types={types} opened={place !== undefined} onClose={() => setPlace(undefined)} onChoose={choose} />
        <StartRun flow={flow} version={version} opened={starting} settle={editor.settle} onClose={stopStarting} onStarted={watch} />
        {moving && <MoveTo {...moving} tree={tree} onClose={() => setMoving(undefined)} onMove={(to) => void editor.move(moving.step, to)} />}
      </Suspense>
    </Box>
  );
}

/** Escape, where it closes nothing that lies over the panel. */
function isLeaving({ key, defaultPrevented, target, currentTarget }: KeyboardEvent<HTMLElement>): boolean {
  const isOwn = target instanceof HTMLElement && currentTarget.contains(target) && target.getAttribute("aria-expanded") !== "true";
  return key === "Escape" && !defaultPrevented && isOwn;
}

function useTypes(): Map<string, StepType> {
  const { data } = useRead("list_step_types", {}, { staleTime: Number.POSITIVE_INFINITY });
  return useMemo(() => new Map(data?.data.map((type) => [type.microservice, type])), [data]);
}
