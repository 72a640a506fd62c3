// A version never changes once it is no draft: this makes a draft of it that can be edited.
import { Button } from "@mantine/core";

import type { Version } from "../api/contract";
import { useChange } from "../api/hooks";
import { tell } from "../ui/tell";

interface Props {
  version: Version;
  /** Whether the flow has a draft, which is then replaced. */
  hasDraft: boolean;
  onCopied?: (draft: Version) => void;
}

export function CopyToDraft({ version, hasDraft, onCopied }: Props) {
  const copy = useChange("copy_version", {
    onSuccess: ({ data }) => {
      tell.done(`Version ${data.iteration} is a draft made from version ${version.iteration}.`);
      onCopied?.(data);
    },
  });
  return (
    <Button variant="default" loading={copy.isPending} onClick={() => copy.mutate({ path: { flow: version.flow_id, version: version.id } }, { onError: tell.failed })}>
      {hasDraft ? "Replace the draft by this" : "Copy to draft"}
    </Button>
  );
}
