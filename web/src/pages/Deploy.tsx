// Deploying a version and taking it back, each saying beforehand what it will do.
import { Text } from "@mantine/core";

import type { Version } from "../api/contract";
import { useChange, useRead } from "../api/hooks";
import { Confirm } from "../ui/Confirm";
import { tell } from "../ui/tell";

export const UNDECIDED = new Error("Decide first which of two changes of the draft is to stay.");

interface Props {
  flow: number;
  version: Version;
  /** Waits until the version is saved as it is shown; false if it cannot be yet. */
  settle?: () => Promise<boolean>;
  /** One of many, such as in a list. */
  isQuiet?: boolean;
  /** Where it is not plain which version is meant. */
  isNamed?: boolean;
}

export function Deploy({ flow, version, settle, isQuiet, isNamed }: Props) {
  const about = useRead("get_flow", { path: { flow }, query: { include: "deployedVersion" } });
  const update = useChange("update_version");
  const deployed = about.data?.data.deployed_version;
  const set = async (at: string | null, said: string) => {
    if (settle && !(await settle())) return tell.failed(UNDECIDED);
    const answers = { onSuccess: () => tell.done(said), onError: tell.failed };
    update.mutate({ path: { flow, version: version.id }, body: { deployed_at: at } }, answers);
  };
  if (version.is_deployed) {
    return (
      <Confirm label="Undeploy" variant="default" loading={update.isPending} title={`Undeploy version ${version.iteration}?`} onConfirm={() => void set(null, `Version ${version.iteration} is no longer deployed.`)}>
        Nothing of this flow runs by schedule, webhook or call until a version is deployed again. Runs that have begun go on to their end.
      </Confirm>
    );
  }
  const back = version.status === "Inactive" && deployed !== undefined && deployed.iteration > version.iteration;
  const title = `${back ? "Roll back to" : "Deploy"} version ${version.iteration}`;
  return (
    <Confirm label={isNamed ? title : back ? "Roll back to this" : "Deploy"} variant={isQuiet ? "light" : "filled"} loading={update.isPending} title={`${title}?`} onConfirm={() => void set(new Date().toISOString(), `Version ${version.iteration} is deployed.`)}>
      <Text size="sm">
        {deployed ? `Version ${deployed.iteration} becomes inactive and version ${version.iteration} takes its place at once.` : `Version ${version.iteration} becomes the one that runs.`} Runs that have begun end on the version
        they began with.
      </Text>
      {about.data && !about.data.data.is_enabled && (
        <Text size="sm" mt="xs">
          The flow is disabled: schedules and webhooks do not start it until it is enabled.
        </Text>
      )}
    </Confirm>
  );
}
