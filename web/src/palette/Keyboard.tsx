// What the keyboard does on every page. The palette and the list of keys are loaded after the page.
import { useTimeout } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef } from "react";

import { useMe } from "../ui/me";
import { seen } from "../ui/places";
import { type Does, press, type Waiting } from "./shortcuts";

const palette = () => import("./Palette");
const Palette = lazy(async () => ({ default: (await palette()).Palette }));
const Help = lazy(async () => ({ default: (await import("./Help")).Help }));

export type Overlay = "palette" | "help";

interface Props {
  shown: Overlay | undefined;
  onShow: (overlay: Overlay | undefined) => void;
}

export function Keyboard({ shown, onShow }: Props) {
  useShortcuts(onShow);
  // What is typed right after Ctrl and K is meant for it, so that it is there by then; but the page comes first.
  useTimeout(() => void palette(), 2_000, { autoInvoke: true });
  const close = () => onShow(undefined);
  return (
    <Suspense>
      {shown === "palette" && <Palette onClose={close} onHelp={() => onShow("help")} />}
      {shown === "help" && <Help onClose={close} />}
    </Suspense>
  );
}

function useShortcuts(onShow: Props["onShow"]) {
  const navigate = useNavigate();
  const { may } = useMe();
  const act = (does: Does) => {
    if (typeof does === "object") void navigate({ to: does.to });
    else if (does === "search") searchField()?.focus();
    else if (does === "new") may("manager") && void navigate({ to: "/flows", search: { make: "new" } });
    else onShow(does);
  };
  const listener = useRef<(event: KeyboardEvent) => void>(undefined);
  const waiting = useRef<Waiting>(undefined);
  useEffect(() => {
    const places = new Map(seen(may).flatMap(({ key, to }) => (key ? [[key, to] as const] : [])));
    listener.current = (event) => {
      if (event.defaultPrevented || event.isComposing) return;
      const step = press(event, isTyping(event.target), waiting.current, places, event.timeStamp);
      waiting.current = step.waiting;
      if (step.does === undefined) return;
      event.preventDefault();
      act(step.does);
    };
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => listener.current?.(event);
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}

/** Whether a key is meant for what has the focus: a field, or what stands in a dialog or a menu. */
function isTyping(target: EventTarget | null): boolean {
  if (document.querySelector("[role=dialog], [role=menu]")) return true;
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function searchField(): HTMLElement | null {
  return document.querySelector<HTMLElement>("main input[type=search], main [data-search]");
}
