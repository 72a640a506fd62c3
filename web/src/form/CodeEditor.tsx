// The code editor, loaded when it is opened: JSON with its faults marked, templates completed.
import { autocompletion, closeBrackets, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, linter } from "@codemirror/lint";
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView, placeholder as hint, tooltips } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { minimalSetup } from "codemirror";
import { useEffect, useRef } from "react";

import { complete, type Known } from "./completion";
import { isWrittenAsJson } from "./json";

export interface CodeProps {
  label: string;
  value: string;
  readOnly?: boolean;
  placeholder?: string;
  known: Known;
  onText: (text: string) => void;
}

// Mantine's colours follow the colour scheme, and so does what is drawn with them.
const THEME = EditorView.theme({
  "&": { fontSize: "0.75rem", maxHeight: "22rem", backgroundColor: "var(--mantine-color-default)", color: "var(--mantine-color-text)" },
  ".cm-scroller": { fontFamily: "var(--mantine-font-family-monospace)", overflow: "auto" },
  ".cm-content": { minHeight: "3.2rem", caretColor: "var(--mantine-color-text)" },
  "&.cm-focused": { outline: "none" },
  ".cm-cursor": { borderLeftColor: "var(--mantine-color-text)" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { background: "light-dark(#cfe8ee, #2f4a52)" },
  ".cm-tooltip": { backgroundColor: "var(--mantine-color-body)", border: "1px solid var(--line)", color: "var(--mantine-color-text)", zIndex: "400" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--mantine-primary-color-filled)", color: "#fff" },
  ".cm-placeholder": { color: "var(--mantine-color-placeholder)" },
});
const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, color: "light-dark(#0b6b7d, #66d0e4)" },
  { tag: tags.string, color: "light-dark(#2b7a2b, #8fd28f)" },
  { tag: [tags.number, tags.bool, tags.null], color: "light-dark(#9a5300, #ffb86b)" },
]);

function completion(known: () => Known) {
  return (context: CompletionContext): CompletionResult | null => {
    const found = complete(context.state.doc.toString(), context.pos, known());
    if (!found) return null;
    return { from: found.from, to: found.to, filter: false, options: found.options.map((label) => ({ label, type: "variable" })) };
  };
}

const faults = (view: EditorView): Diagnostic[] => (isWrittenAsJson(view.state.doc.toString()) ? jsonParseLinter()(view) : []);

export function CodeEditor(props: CodeProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const locks = useRef(new Compartment());

  useEffect(() => {
    const { label, value, placeholder } = latest.current;
    const lock = locks.current;
    const made = new EditorView({
      parent: place.current ?? undefined,
      doc: value,
      extensions: [
        minimalSetup,
        json(),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ override: [completion(() => latest.current.known)], icons: false }),
        linter(faults, { delay: 300 }),
        syntaxHighlighting(COLOURS),
        tooltips({ parent: document.body }),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label, "aria-multiline": "true" }),
        hint(placeholder ?? ""),
        THEME,
        lock.of([]),
        EditorView.updateListener.of((update) => {
          const text = update.state.doc.toString();
          if (update.docChanged && text !== latest.current.value) latest.current.onText(text);
        }),
      ],
    });
    view.current = made;
    return () => made.destroy();
  }, []);

  useEffect(() => {
    const { current } = view;
    const text = current?.state.doc.toString();
    if (current && text !== props.value) current.dispatch({ changes: { from: 0, to: text?.length, insert: props.value } });
  }, [props.value]);
  useEffect(() => {
    view.current?.dispatch({ effects: locks.current.reconfigure(props.readOnly ? [EditorState.readOnly.of(true), EditorView.editable.of(false)] : []) });
  }, [props.readOnly]);

  return <div ref={place} className="code-editor" />;
}
