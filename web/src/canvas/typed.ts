// What is typed into a field that saves itself. Undo and others' edits show at once; what one types is not overwritten by the
// echo of what one typed before, nor lost when it is refused.
import { useEffect, useRef, useState } from "react";

import { same } from "../form/same";

/** `save` says whether it was saved; of what is typed meanwhile it may be called no more. */
export function useTyped<T>(outside: T, save: (value: T) => Promise<boolean>): [T, (value: T) => void] {
  const [value, setValue] = useState(outside);
  const [saved, setSaved] = useState(0);
  const typed = useRef(0);
  // What was outside when it was last looked at, and what was saved then.
  const seen = useRef({ outside, saved });
  useEffect(() => {
    if (typed.current !== saved) return;
    // The echo of one's own: the server may have trimmed it, and one may not be done with it.
    const isEcho = seen.current.saved !== saved;
    const hasChanged = !same(seen.current.outside, outside);
    seen.current = { outside, saved };
    if (hasChanged && !isEcho) setValue((now) => (same(now, outside) ? now : outside));
  }, [outside, saved]);
  const change = (next: T) => {
    setValue(next);
    typed.current += 1;
    const own = typed.current;
    void save(next).then((done) => done && setSaved(own));
  };
  return [value, change];
}
