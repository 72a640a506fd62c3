// Steps on the clipboard, as text: between flows, windows and servers. Fields of text keep their own copy and paste.
import { useEffect, useRef } from "react";

import { type Copied, moved, read, written } from "./copies";

const isField = (target: EventTarget | null): boolean => target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable=true], [role=dialog]") !== null;

/** Put steps on the clipboard; where pages may not write to it themselves, as what one has just copied. */
export function copySteps(copied: Copied): void {
  const put = (event: ClipboardEvent) => {
    event.clipboardData?.setData("text/plain", written(moved(copied)));
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  document.addEventListener("copy", put, { capture: true, once: true });
  document.execCommand("copy");
  document.removeEventListener("copy", put, { capture: true });
}

interface Handlers {
  /** What is copied now, if anything is chosen. */
  copied: () => Copied | undefined;
  onPaste: (copied: Copied) => void;
}

export function useClipboard(handlers: Handlers): void {
  const latest = useRef(handlers);
  latest.current = handlers;
  useEffect(() => {
    const copy = (event: ClipboardEvent) => {
      const chosenText = document.getSelection()?.toString();
      const copied = isField(event.target) || chosenText ? undefined : latest.current.copied();
      if (!copied) return;
      event.clipboardData?.setData("text/plain", written(moved(copied)));
      event.preventDefault();
    };
    const paste = (event: ClipboardEvent) => {
      if (isField(event.target)) return;
      const copied = read(event.clipboardData?.getData("text/plain") ?? "");
      if (!copied) return;
      event.preventDefault();
      latest.current.onPaste(copied);
    };
    document.addEventListener("copy", copy);
    document.addEventListener("paste", paste);
    return () => {
      document.removeEventListener("copy", copy);
      document.removeEventListener("paste", paste);
    };
  }, []);
}
