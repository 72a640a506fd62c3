// What the rules make of the sample, computed by the server as a run would.
import { Alert, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMemo } from "react";

import { useRead } from "../api/hooks";
import { Data } from "../run/Data";
import { useMe } from "../ui/me";
import { Failure, Loading } from "../ui/parts";
import { useAround } from "./around";
import { areComplete, type Rule, type Transform } from "./rules";

const REST_MS = 350;

export function Preview({ rules, transforms }: { rules: Rule[]; transforms: Transform[] }) {
  const { may } = useMe();
  const { sample, config, step } = useAround();
  // A rule that is not complete yet is left out, so that what the others make stays in sight.
  const ready = useMemo(() => rules.filter((rule) => areComplete([rule], transforms)), [rules, transforms]);
  const [tried] = useDebouncedValue(ready, REST_MS);
  const canTry = sample !== undefined && step !== undefined && may("user") && tried.length > 0;
  const body = { payload: sample?.body, content_type: sample?.content_type, meta: sample?.meta, config: { ...config, rules: tried } };
  const found = useRead("try_step", { path: step ?? { flow_version: 0, step: 0 }, body }, { enabled: canTry, placeholderData: (old) => old });
  if (!may("user")) return <Hint>Your role lets you look at rules, not try them.</Hint>;
  if (!sample) return <Hint>With a sample the result is shown here as you map.</Hint>;
  if (!canTry) return <Hint>{rules.length ? "Complete the rules to see what they make." : "Nothing is mapped yet."}</Hint>;
  if (found.error) return <Failure error={found.error} />;
  if (!found.data) return <Loading rows={4} />;
  const { payloads, failure } = found.data.data;
  return (
    <Stack gap="xs" aria-busy={found.isFetching}>
      {failure && <Alert color="orange" title={failure.message} />}
      {payloads.map((payload, index) => (
        <Data key={index} value={payload.body} />
      ))}
    </Stack>
  );
}

function Hint({ children }: { children: string }) {
  return (
    <Text size="sm" c="dimmed">
      {children}
    </Text>
  );
}
